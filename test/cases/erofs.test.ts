import { casesThrough } from '../support/run-cases.js';
import { EROFS } from '../support/sinks.js';

casesThrough(EROFS);
