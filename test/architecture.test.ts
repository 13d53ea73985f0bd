import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import { PROJECT } from './support/project.js';

/** The rooms of src/, from the top down: a room may import from itself and from rooms in lower rows only. */
const ROWS = [
  ['cli.ts'],
  ['cli'],
  ['index.ts'],
  ['fleet', 'plan.ts'],
  ['flatten.ts'],
  ['carry-out.ts', 'outputs.ts'],
  ['options.ts'],
  ['config-out.ts', 'squash.ts', 'verify.ts'],
  ['image.ts'],
  ['inspect'],
  ['any-tree.ts', 'fits.ts', 'overlap.ts', 'sealed', 'tree.ts'],
  ['input.ts', 'origin.ts'],
  ['disk-plan.ts', 'disk-tree.ts', 'load-tree.ts'],
  ['sources', 'sinks', 'start'],
  ['ext', 'erofs', 'verity'],
  ['disk'],
  ['layer', 'engine', 'cache', 'registry', 'web'],
  ['compression'],
  ['rootfs', 'tar'],
  ['oci'],
  ['losses.ts', 'meter.ts', 'nearest.ts'],
  ['context.ts', 'disk-magic.ts'],
  ['threads', 'host'],
  ['errors.ts', 'size-text.ts'],
];

const SRC = join(PROJECT, 'src');

function imports(): { from: string; to: string }[] {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  return files.flatMap((file) => {
    const text = readFileSync(join(SRC, file), 'utf8');
    const specifiers = [...text.matchAll(/(?:from|import\(|new URL\()\s*'([^']+)'/g)].map(
      (match) => match[1]!,
    );
    return specifiers.map((specifier) => {
      const isLocal = specifier.startsWith('.');
      const to = isLocal
        ? relative(SRC, join(SRC, dirname(file), specifier)).replace(/\.js$/, '.ts')
        : specifier;
      return { from: file, to };
    });
  });
}

const room = (file: string) => file.split('/')[0]!;
const row = (file: string) => ROWS.findIndex((rooms) => rooms.includes(room(file)));

test('every file of src/ is in a known room', () => {
  const strangers = [...new Set(imports().map(({ from }) => from))].filter((file) => row(file) === -1);
  assert.deepEqual(strangers, []);
});

test('arrows point down: a room imports itself and lower rooms only', () => {
  const inSrc = imports().filter(({ to }) => to.endsWith('.ts') && !to.startsWith('..'));
  assert.ok(inSrc.length > 50, 'the scan found the imports');
  const upward = inSrc.filter(({ from, to }) => room(from) !== room(to) && row(from) >= row(to));
  assert.deepEqual(upward, []);
});

test('no files import each other in a circle, types included', () => {
  const targets = new Map<string, string[]>();
  for (const { from, to } of imports())
    if (to.endsWith('.ts')) targets.set(from, [...(targets.get(from) ?? []), to]);
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (file: string, way: readonly string[]) => {
    if (way.includes(file)) circles.push([...way.slice(way.indexOf(file)), file].join(' -> '));
    if (way.includes(file) || done.has(file)) return;
    for (const target of targets.get(file) ?? []) visit(target, [...way, file]);
    done.add(file);
  };
  for (const file of targets.keys()) visit(file, []);
  assert.deepEqual(circles, []);
});

test('a format has one face: the rest of src/ imports no other file of its room', () => {
  for (const format of ['ext', 'erofs', 'verity']) {
    const face = `${format}/${format}.ts`;
    const behind = imports().filter(
      ({ from, to }) => room(to) === format && room(from) !== format && to !== face,
    );
    assert.deepEqual(behind, []);
    assert.ok(
      imports().some(({ to }) => to === face),
      `the scan found ${face}`,
    );
  }
});

test('rootfs/ and oci/ touch no file system', () => {
  const touching = imports().filter(
    ({ from, to }) =>
      ['rootfs', 'oci'].includes(room(from)) &&
      /^(node:)?(fs|child_process|worker_threads)|^fs-extra$/.test(to),
  );
  assert.deepEqual(touching, []);
});

test('only cli/main.ts ends the process', () => {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  const ending = files.filter((file) => readFileSync(join(SRC, file), 'utf8').includes('process.exit('));
  assert.deepEqual(ending, ['cli/main.ts']);
});

test('only cli/ knows how an option is written on the command line', () => {
  const help =
    readFileSync(join(SRC, 'cli/convert.ts'), 'utf8') +
    readFileSync(join(SRC, 'cli/input-options.ts'), 'utf8');
  assert.match(help, /'--exclude /, 'the scan would find one');
  const flags = /(?<![(])--(?!sparse|format newc|format '|retries|absolute-names|expose-gc)[a-z][a-z-]+/;
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter(
    // A style sheet has names that begin with two hyphens, too.
    (file) => file.endsWith('.ts') && room(file) !== 'cli' && file !== 'inspect/report/style.ts',
  );
  const found = files.flatMap((file) =>
    readFileSync(join(SRC, file), 'utf8')
      .split('\n')
      .filter((line) => !/^\s*(\*|\/\/|\/\*)/.test(line) && flags.test(line.replace(/(?<=[;,]) \/\/.*$/, '')))
      .map((line) => `${file}: ${line.trim()}`),
  );
  // The options of other programs.
  const others =
    /skopeo copy|'image', 'ls'|setfattr|--memlimit|apptainer|fsck\.erofs|max-old-space-size|--reuid|--userspec|--default-signal|--clear-groups|--groups/;
  assert.deepEqual(
    found.filter((line) => !others.test(line)),
    [],
  );
});
