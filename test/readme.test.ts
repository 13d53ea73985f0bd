/** README.md: what it says is run, or compared with the program. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { commandLine } from '../src/cli/program.js';
import { DEFAULT_LIMITS } from '../src/context.js';
import { asReader, assertPrints, blocks, documentText } from './support/document.js';
import { needs } from './support/needs.js';
import { PROJECT } from './support/project.js';
import { scratch } from './support/scratch.js';

const README = documentText('README.md');

/** The rows of all tables, as cells. */
const ROWS = [...README.matchAll(/^\| (.*) \|$/gm)].map(([, row]) => row!.split(' | '));

test('it is one page', () => {
  assert.ok(README.trimEnd().split('\n').length <= 140);
});

for (const [index, block] of blocks(README, 'console').entries()) {
  test(
    `"${block.heading}", block ${index + 1}: the commands print what it says`,
    {
      skip: needs('root', 'mke2fs'),
    },
    (t) => assertPrints(block, asReader(t)),
  );
}

test('its commands install the program', { skip: needs('npm registry') }, (t) => {
  const [install] = blocks(README, 'sh');
  const clone = join(scratch(t), 'clone');
  const left = ['node_modules', 'dist', '.git', 'shared'].map((name) => join(PROJECT, name));
  cpSync(PROJECT, clone, { recursive: true, filter: (path) => !left.includes(path) });
  const prefix = scratch(t);
  const { status, stdout, stderr } = spawnSync('/bin/sh', ['-e', '-c', install!.text], {
    cwd: clone,
    encoding: 'utf8',
    env: {
      ...process.env,
      PATH: `${join(prefix, 'bin')}:${process.env.PATH}`,
      npm_config_prefix: prefix,
      npm_config_prefer_offline: 'true',
    },
  });
  assert.equal(status, 0, stderr);
  assert.equal(stdout.trimEnd().split('\n').at(-1), '0.1.0');
  assert.ok(existsSync(join(prefix, 'bin/flatten')));
  assert.ok(
    existsSync(join(prefix, 'share/man/man1/flatten.1')) || existsSync(join(clone, 'dist/flatten.1')),
  );
  const tried = execFileSync(join(clone, 'scripts/flatten'), ['--version'], { encoding: 'utf8' });
  assert.equal(tried, '0.1.0\n');
});

test(
  'every output of its table is written of every input',
  { skip: needs('root', 'mke2fs', 'skopeo') },
  (t) => {
    const { cwd, env } = asReader(t);
    const shell = (line: string) => execFileSync('/bin/sh', ['-e', '-c', line], { cwd, env, stdio: 'pipe' });
    shell('flatten image.tar -o plain/ -q; flatten image.tar -o plain.tar -q');
    shell(
      'skopeo copy -q docker-archive:image.tar oci:layout:it; skopeo copy -q docker-archive:image.tar dir:copied',
    );
    const rows = ROWS.filter((row) => /✓$/.test(row[1]!.trim()));
    assert.ok(rows.length >= 5);
    for (const [outputs, , rootfs] of rows) {
      const names = [...outputs!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!);
      for (const name of names.filter(
        (each) => !['-', '.gz', '.zst', 'docker-daemon:', 'docker://'].includes(each),
      )) {
        const packed = /^\.(img|ext)/.test(name) ? ['', '.gz', '.zst'] : [''];
        for (const more of packed) {
          const output = name.endsWith(':')
            ? `${name}out`
            : name === 'rootfs/'
              ? 'out/'
              : `out${name}${more}`;
          // What compresses the output once more does not see where the tree is from.
          const inputs =
            more === '' ? ['image.tar', 'layout', 'copied', 'plain/', 'plain.tar'] : ['image.tar'];
          const runs = inputs.map((input) => {
            const command =
              input.startsWith('plain') && rootfs!.includes('import') ? 'flatten import' : 'flatten';
            return `${command} ${input} -o ${output} -q; rm -r out*`;
          });
          shell(runs.join('\n'));
        }
      }
    }
  },
);

test('the short library examples of src/README.md run', (t) => {
  const { cwd } = asReader(t);
  mkdirSync(join(cwd, 'node_modules'));
  symlinkSync(PROJECT, join(cwd, 'node_modules/image-flatten'));
  const examples = blocks(documentText('src/README.md'), 'js');
  const printed = examples.map(({ text }) => {
    writeFileSync(join(cwd, 'example.mjs'), text);
    return execFileSync(process.execPath, ['example.mjs'], { cwd, encoding: 'utf8' });
  });
  assert.match(printed[0]!, /^27 sha256:[0-9a-f]{64}\nNAME="flatten demo"\n/);
  const batch = printed.find((each) => each.includes('disks/'))!;
  assert.deepEqual(batch.split(/ *\n/).sort(), ['', 'disks/image.tar done', 'small.erofs done']);
});

test('every option that it names is one of the program', () => {
  const program = commandLine(new AbortController().signal);
  const real = [program, ...program.commands].flatMap(({ options }) => options.map(({ long }) => long!));
  const own = [...README.matchAll(/(?<![\w-])--[a-z][a-z0-9-]*/g)].map(([option]) => option);
  assert.ok(own.length > 8);
  assert.deepEqual(
    own.filter((option) => !real.includes(option) && option !== '--help'),
    [],
  );
});

test('its limits are those of the program', () => {
  const defaults = Object.fromEntries(
    ROWS.filter((row) => row[2]?.startsWith('`--max-')).map(([, value, option]) => [option, value]),
  );
  assert.deepEqual(defaults, {
    '`--max-size`': `${DEFAULT_LIMITS.maxSize / 2 ** 30} GiB`,
    '`--max-entries`': DEFAULT_LIMITS.maxEntries.toLocaleString('en'),
  });
});

test('scripts/bench has the contests whose ratios it gives', () => {
  const list = execFileSync(join(PROJECT, 'scripts/bench'), ['--list'], { encoding: 'utf8' });
  const named = [...README.matchAll(/^\| `([a-z-]+)` \| [^|]+ \| \d/gm)].map(([, name]) => name!);
  assert.ok(named.length >= 5);
  for (const name of named) {
    for (const input of ['big', 'tiny'])
      assert.ok(list.includes(`\n${name}/${input}: `), `${name} on ${input} is no contest`);
  }
});
