// Writes the man page of the built program: dist/flatten.1.
import { writeFileSync } from 'node:fs';
import { manPage } from '../dist/src/cli/man.js';
import { commandLine } from '../dist/src/cli/program.js';

const page = manPage(commandLine(new AbortController().signal));
writeFileSync(new URL('../dist/flatten.1', import.meta.url), page);
