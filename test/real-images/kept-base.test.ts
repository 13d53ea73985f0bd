import { realImagesThrough } from '../support/run-real-images.js';
import { KEPT_BASE } from '../support/sinks.js';

realImagesThrough(KEPT_BASE);
