import { casesThrough } from '../support/run-cases.js';
import { SQUASHFS } from '../support/sinks.js';

casesThrough(SQUASHFS);
