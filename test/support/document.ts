import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CLI } from './program.js';
import { PROJECT } from './project.js';
import { scratch } from './scratch.js';

/** A fenced block of a Markdown document. */
export interface Block {
  /** The heading that it stands under. */
  readonly heading: string;
  readonly text: string;
}

/** The text of a document, by its path in the project. */
export function documentText(path: string): string {
  return readFileSync(join(PROJECT, path), 'utf8');
}

/** The fenced blocks of one language. */
export function blocks(document: string, language: string): Block[] {
  const found: Block[] = [];
  let heading = '';
  for (const match of document.matchAll(/^(#+ .*)$|^```(\w+)\n([\s\S]*?)^```$/gm)) {
    if (match[1] !== undefined) heading = match[1].replace(/^#+ /, '');
    else if (match[2] === language) found.push({ heading, text: match[3]! });
  }
  return found;
}

/** A directory as a reader has it: the demo image as image.tar, and `flatten` on PATH. */
export function asReader(t: { after(done: () => void): void }): { cwd: string; env: NodeJS.ProcessEnv } {
  const cwd = scratch(t);
  const bin = join(cwd, '.bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'flatten'), `#!/bin/sh\nexec "${process.execPath}" "${CLI}" "$@"\n`, {
    mode: 0o755,
  });
  copyFileSync(join(PROJECT, 'test/images/demo.tar'), join(cwd, 'image.tar'));
  return { cwd, env: { ...process.env, PATH: `${bin}:${process.env.PATH}` } };
}

/** Runs each command of a `console` block, and asserts that it prints what stands below it. */
export function assertPrints({ text }: Block, { cwd, env }: ReturnType<typeof asReader>): void {
  const steps = text.split(/^\$ /m).slice(1);
  assert.ok(steps.length > 0);
  for (const step of steps) {
    const [command, ...expected] = step.split('\n');
    const { stdout } = spawnSync('/bin/sh', ['-c', `{ ${command}; } 2>&1`], { cwd, env, encoding: 'utf8' });
    assert.equal(comparable(stdout), comparable(expected.join('\n')), command);
  }
}

/** Seconds differ from run to run; of digests only the beginning is compared, since documents shorten some. */
function comparable(output: string): string {
  return output
    .replace(/\b\d+\.\d\d s\b/g, 'N s')
    .replace(/sha256:([0-9a-f]{2})(?:…|[0-9a-f]{62}),/g, 'sha256:$1…,');
}
