import { casesThrough } from '../support/run-cases.js';
import { KEPT_BASE } from '../support/sinks.js';

casesThrough(KEPT_BASE);
