import { casesThrough } from '../support/run-cases.js';
import { DIRECTORY } from '../support/sinks.js';

casesThrough(DIRECTORY);
