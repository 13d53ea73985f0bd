import { realImagesThrough } from '../support/run-real-images.js';
import { DOCKER_ARCHIVE } from '../support/sinks.js';

realImagesThrough(DOCKER_ARCHIVE);
