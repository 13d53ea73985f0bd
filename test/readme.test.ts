import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { needs } from './support/needs.js';
import { CLI } from './support/program.js';
import { PROJECT } from './support/project.js';
import { scratch } from './support/scratch.js';

const README = readFileSync(join(PROJECT, 'README.md'), 'utf8');

/** The fenced blocks of one language, each with the heading it stands under. */
function blocks(language: string): { heading: string; text: string }[] {
  const found: { heading: string; text: string }[] = [];
  let heading = '';
  for (const match of README.matchAll(/^(#+ .*)$|^```(\w+)\n([\s\S]*?)^```$/gm)) {
    if (match[1] !== undefined) heading = match[1].replace(/^#+ /, '');
    else if (match[2] === language) found.push({ heading, text: match[3]! });
  }
  return found;
}

/** A directory as a reader of the README has it: the demo image as image.tar, and `flatten` on PATH. */
function asReader(t: { after(done: () => void): void }): { cwd: string; env: NodeJS.ProcessEnv } {
  const cwd = scratch(t);
  const bin = join(cwd, '.bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'flatten'), `#!/bin/sh\nexec "${process.execPath}" "${CLI}" "$@"\n`, {
    mode: 0o755,
  });
  copyFileSync(join(PROJECT, 'test/images/demo.tar'), join(cwd, 'image.tar'));
  return { cwd, env: { ...process.env, PATH: `${bin}:${process.env.PATH}` } };
}

/** Seconds differ from run to run; of digests only the beginning is compared, since the README shortens some. */
function comparable(output: string): string {
  return output
    .replace(/\b\d+\.\d\d s\b/g, 'N s')
    .replace(/sha256:([0-9a-f]{2})(?:…|[0-9a-f]{62}),/g, 'sha256:$1…,');
}

for (const [index, { heading, text }] of blocks('console').entries()) {
  test(
    `README, "${heading}", block ${index + 1}: the commands print what it says`,
    {
      skip: needs('root', 'mke2fs'),
    },
    (t) => {
      const { cwd, env } = asReader(t);
      if (/^(Change|An image)/.test(heading))
        execFileSync('flatten', ['image.tar', '-o', 'rootfs/', '-q'], { cwd, env });
      for (const step of text.split(/^\$ /m).slice(1)) {
        const [command, ...expected] = step.split('\n');
        const { stdout } = spawnSync('/bin/sh', ['-c', `{ ${command}; } 2>&1`], {
          cwd,
          env,
          encoding: 'utf8',
        });
        assert.equal(comparable(stdout), comparable(expected.join('\n')), command);
      }
    },
  );
}

for (const { text } of blocks('js')) {
  test('README: the library example runs', (t) => {
    const { cwd } = asReader(t);
    mkdirSync(join(cwd, 'node_modules'));
    symlinkSync(PROJECT, join(cwd, 'node_modules/image-flatten'));
    writeFileSync(join(cwd, 'example.mjs'), text);
    const printed = execFileSync(process.execPath, ['example.mjs'], { cwd, encoding: 'utf8' });
    assert.match(printed, /^27 sha256:[0-9a-f]{64}\nNAME="flatten demo"\n/);
  });
}

test('README: every option that --help knows and it names is spelled right', () => {
  const help = [[], ['import'], ['verify'], ['mount'], ['unmount']]
    .map((command) => execFileSync(process.execPath, [CLI, ...command, '--help'], { encoding: 'utf8' }))
    .join('\n');
  const own = [...README.matchAll(/(?<![\w-])--[a-z][a-z0-9-]*/g)].map(([option]) => option);
  assert.ok(own.length > 20);
  const unknown = [...new Set(own)].filter((option) => !help.includes(option) && option !== '--help');
  assert.deepEqual(unknown, []);
});

test('README: every file it links to is there', () => {
  const links = [...README.matchAll(/\]\(([^)#:]+)\)/g)].map((match) => match[1]!);
  assert.ok(links.length > 2);
  for (const link of links)
    assert.doesNotThrow(() => execFileSync('test', ['-e', join(PROJECT, link)]), link);
});

test('README: scripts/bench has the contests whose ratios it gives', () => {
  const list = execFileSync(join(PROJECT, 'scripts/bench'), ['--list'], { encoding: 'utf8' });
  const named = [...README.matchAll(/^\| `([a-z-]+)` \| [^|]+ \| \d/gm)].map(([, name]) => name!);
  assert.ok(named.length >= 5);
  for (const name of named) {
    for (const input of ['big', 'tiny'])
      assert.ok(list.includes(`\n${name}/${input}: `), `${name} on ${input} is no contest`);
  }
});
