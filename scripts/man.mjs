// Writes the man page of the built program: dist/flatten.1.
import { readFileSync, writeFileSync } from 'node:fs';
import { manPage } from '../dist/src/cli/man.js';
import { commandLine } from '../dist/src/cli/program.js';

const guide = readFileSync(new URL('../src/cli/README.md', import.meta.url), 'utf8');
const page = manPage(commandLine(new AbortController().signal), guide);
writeFileSync(new URL('../dist/flatten.1', import.meta.url), page);
