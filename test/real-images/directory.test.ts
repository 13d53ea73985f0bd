import { realImagesThrough } from '../support/run-real-images.js';
import { DIRECTORY } from '../support/sinks.js';

realImagesThrough(DIRECTORY);
