import { realImagesThrough } from '../support/run-real-images.js';
import { SQUASHFS } from '../support/sinks.js';

realImagesThrough(SQUASHFS, { eachTreeOnce: true });
