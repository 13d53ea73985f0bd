import { casesThrough } from '../support/run-cases.js';
import { DOCKER_ARCHIVE } from '../support/sinks.js';

casesThrough(DOCKER_ARCHIVE);
