import { realImagesThrough } from '../support/run-real-images.js';
import { EROFS } from '../support/sinks.js';

realImagesThrough(EROFS, { eachTreeOnce: true });
