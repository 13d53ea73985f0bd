import { realImagesThrough } from '../support/run-real-images.js';
import { CPIO } from '../support/sinks.js';

realImagesThrough(CPIO, { eachTreeOnce: true });
