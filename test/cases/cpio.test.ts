import { casesThrough } from '../support/run-cases.js';
import { CPIO } from '../support/sinks.js';

casesThrough(CPIO);
