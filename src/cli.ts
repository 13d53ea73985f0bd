#!/usr/bin/env node
// Nothing is imported before this runs: with very few descriptors a module cannot even be opened. And nothing here is
// newer than Node 12, so that a Node that is too old says so, and shows no syntax error.

/** As `engines` in package.json has it. */
const NEEDED = [20, 18, 1] as const;

function isTooOld(version: string): boolean {
  const has = version.split('.').map(Number);
  const differing = NEEDED.findIndex((number, place) => number !== has[place]);
  return differing >= 0 && has[differing]! < NEEDED[differing]!;
}

function fail(what: string, hint: string): void {
  process.stderr.write(`flatten: error: ${what}${hint}\n`);
  process.exitCode = 1;
}

if (isTooOld(process.versions.node)) {
  fail(`this is Node ${process.versions.node}, and flatten needs Node ${NEEDED.join('.')} or later`, '');
} else {
  import('./cli/main.js').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EMFILE' && error.code !== 'ENFILE') throw error;
    fail(error.message, '\n  raise the limit with `ulimit -n 4096`');
  });
}
export {};
