import { realImagesThrough } from '../support/run-real-images.js';
import { FLAT_TAR } from '../support/sinks.js';

realImagesThrough(FLAT_TAR);
