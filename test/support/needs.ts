import { spawnSync } from 'node:child_process';

/**
 * A skip reason that names the first thing missing, or false when all is there. `root` means uid 0, `npm registry` that
 * packages can be had; everything else is a program on PATH (or in /sbin, /usr/sbin). With CI set nothing may be skipped: what is missing throws.
 */
export function needs(...things: string[]): string | false {
  for (const thing of things) {
    if (present(thing)) continue;
    if (process.env.CI) throw new Error(`${thing} is missing, and CI skips nothing`);
    return `needs ${thing}`;
  }
  return false;
}

const seen = new Map<string, boolean>();

/** Whether it is here. */
export function present(thing: string): boolean {
  let there = seen.get(thing);
  if (there === undefined) {
    if (thing === 'root') there = process.getuid?.() === 0;
    else if (thing === 'npm registry') there = registryAnswers();
    else there = onPath(thing);
    seen.set(thing, there);
  }
  return there;
}

function onPath(program: string): boolean {
  const PATH = `${process.env.PATH}:/usr/sbin:/sbin`;
  return spawnSync('/bin/sh', ['-c', 'command -v "$0"', program], { env: { PATH } }).status === 0;
}

function registryAnswers(): boolean {
  const options = ['--fetch-retries=0', '--fetch-timeout=20000', '--prefer-online'];
  return spawnSync('npm', ['view', 'commander', 'version', ...options]).status === 0;
}
