import { casesThrough } from '../support/run-cases.js';
import { OCI_BY_UMOCI } from '../support/sinks.js';

casesThrough(OCI_BY_UMOCI);
