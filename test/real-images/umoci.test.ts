import { realImagesThrough } from '../support/run-real-images.js';
import { OCI_BY_UMOCI } from '../support/sinks.js';

// One layer is written, whatever there were before: only the tree counts.
realImagesThrough(OCI_BY_UMOCI, { eachTreeOnce: true });
