import { casesThrough } from '../support/run-cases.js';
import { MEMORY } from '../support/sinks.js';

casesThrough(MEMORY);
