import { realImagesThrough } from '../support/run-real-images.js';
import { OCI_ARCHIVE } from '../support/sinks.js';

realImagesThrough(OCI_ARCHIVE, { eachTreeOnce: true });
