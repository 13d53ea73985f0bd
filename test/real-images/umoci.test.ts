import { realImagesThrough } from '../support/run-real-images.js';
import { OCI_BY_UMOCI } from '../support/sinks.js';

realImagesThrough(OCI_BY_UMOCI);
