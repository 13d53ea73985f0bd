import { casesThrough } from '../support/run-cases.js';
import { FLAT_TAR } from '../support/sinks.js';

casesThrough(FLAT_TAR);
