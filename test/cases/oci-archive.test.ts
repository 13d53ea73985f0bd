import { casesThrough } from '../support/run-cases.js';
import { OCI_ARCHIVE } from '../support/sinks.js';

casesThrough(OCI_ARCHIVE);
