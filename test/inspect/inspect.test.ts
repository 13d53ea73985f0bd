/** `flatten inspect`: its sums against another count, and the questions that people ask, each by its command. */
import assert from 'node:assert/strict';
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openImage } from '../../src/image.js';
import { parseCondition } from '../../src/inspect/fail-if.js';
import { inspect } from '../../src/inspect/inspect.js';
import { ociFiles, writeFiles } from '../support/image.js';
import { run } from '../support/program.js';
import { PROJECT } from '../support/project.js';
import { choices, expectedLines, pathOf, realArchives, realSuite } from '../support/real-images.js';
import { scratch } from '../support/scratch.js';
import { archive, type Member } from '../support/tar.js';

const DEMO = join(PROJECT, 'test/images/demo.tar');

const file = (path: string, body: string, more: Partial<Member> = {}): Member => ({
  path,
  body: Buffer.from(body),
  ...more,
});

function layout(t: Parameters<typeof scratch>[0], ...layers: [command: string, ...Member[]][]): string {
  const directory = join(scratch(t), 'layout');
  const history = layers.map(([command]) => ({ created_by: command }));
  const tars = layers.map(([, ...members]) => ({ tar: archive(members) }));
  writeFiles(directory, ociFiles(tars, { config: { history } }));
  return directory;
}

function inspected(image: string, ...args: string[]) {
  const { code, stdout, stderr } = run(['inspect', image, '--json', ...args]);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout.toString());
}

const WASTEFUL = (t: Parameters<typeof scratch>[0]) =>
  layout(
    t,
    [
      'COPY base',
      file('big', 'x'.repeat(5000)),
      file('kept', 'k'.repeat(100)),
      file('own', 'o'.repeat(700)),
      file('twin', 't'.repeat(300)),
    ],
    ['RUN chown', file('own', 'o'.repeat(700), { uid: 7 }), file('other/twin', 't'.repeat(300))],
    ['RUN build', file('big', 'y'.repeat(6000)), file('dup', '1'), file('dup', '22')],
    ['RUN rm', file('.wh.big', ''), file('.wh.kept', 'marker')],
  );

test('which ten files cost most and are not even visible? each with the command that hid it', (t) => {
  const image = WASTEFUL(t);
  const { waste, tree, layers, twice } = inspected(image);
  assert.equal(twice, undefined);
  assert.deepEqual(waste.overwritten, { files: 2, bytes: 5001 });
  assert.deepEqual(waste.removed, { files: 2, bytes: 6100 });
  assert.deepEqual(waste.metadata, { files: 1, bytes: 700 });
  assert.deepEqual(waste.bookkeeping, { files: 1, bytes: 6 });
  assert.equal(waste.isExact, false);
  assert.equal(waste.carried, tree.bytes + waste.bytes);
  assert.deepEqual(
    layers.map(({ wasted }: { wasted: number }) => wasted),
    [5800, 0, 6001, 6],
  );
  assert.deepEqual(waste.worst[0].path, 'big');
  assert.deepEqual(
    waste.worst[0].hidden.map(({ layer, by, why, bytes }: Record<string, unknown>) => [
      layer,
      by,
      why,
      bytes,
    ]),
    [
      [1, 3, 'overwritten', 5000],
      [3, 4, 'removed', 6000],
    ],
  );
  const { stdout } = run(['inspect', image, '--worst', '2']);
  assert.match(stdout.toString(), /^ +11\.0 kB {2}big {2}layer 1, 3; removed by layer 4: RUN rm$/m);
  assert.equal(inspected(image, '--worst', '2').waste.worst.length, 2);
});

test('what did the last layer really change?', (t) => {
  const { layers } = inspected(WASTEFUL(t));
  const { added, changed, removed, entries, createdBy } = layers.at(-1);
  assert.deepEqual([added.names, changed.names, removed.names, entries, createdBy], [0, 0, 2, 2, 'RUN rm']);
  assert.deepEqual(layers[1].changed, { names: 1, bytes: 700 });
});

test('--content compares bytes: what is the same but for its metadata, and what the tree has twice', (t) => {
  const image = layout(
    t,
    [
      '1',
      file('a', 'abcd', { mtime: 1n }),
      file('b', 'abcd', { mtime: 1n }),
      file('c', 'cccc', { mtime: 5n }),
    ],
    [
      '2',
      file('a', 'dcba', { mtime: 1n }),
      file('b', 'abcd', { mtime: 2n }),
      file('d', 'cccc'),
      file('e', 'eeee'),
    ],
  );
  assert.deepEqual(inspected(image).waste.metadata, { files: 1, bytes: 4 }, 'a, by size and time');
  const { waste, twice } = inspected(image, '--content');
  assert.deepEqual(waste.metadata, { files: 1, bytes: 4 });
  assert.equal(waste.isExact, true);
  assert.deepEqual(
    waste.worst.map(({ path, hidden }: { path: string; hidden: { why: string }[] }) => [
      path,
      hidden[0]!.why,
    ]),
    [
      ['a', 'overwritten'],
      ['b', 'metadata'],
    ],
  );
  assert.deepEqual(twice, { bytes: 4, files: 1, worst: [{ paths: ['c', 'd'], bytes: 4 }] });
});

test('--content tells how large each disk image is', (t) => {
  const directory = scratch(t);
  const { disks } = inspected(DEMO, '--content');
  assert.equal(inspected(DEMO).disks, undefined);
  assert.deepEqual(Object.keys(disks), ['ext3', 'ext4', 'erofs']);
  for (const [format, bytes] of Object.entries(disks)) {
    const disk = join(directory, `disk.${format}`);
    assert.equal(run([DEMO, '-o', disk, '--quiet']).code, 0);
    assert.equal(statSync(disk).size, bytes, format);
  }
  const text = run(['inspect', DEMO, '--content']).stdout.toString();
  assert.match(text, /^disk image: ext3 8\.4 MB, ext4 [\d.]+ MB, erofs [\d.]+ kB$/m);
});

test('what deserves a look: setuid, capabilities, devices, world-writable', (t) => {
  const image = layout(t, [
    '1',
    file('su', 'x', { mode: 0o4755 }),
    file('sg', 'x', { mode: 0o2755 }),
    file('cap', 'x', { xattrs: new Map([['security.capability', Buffer.alloc(20)]]) }),
    { path: 'null', typeflag: '3', major: 1, minor: 3, mode: 0o600 },
    { path: 'tmp', typeflag: '5', mode: 0o1777 },
    { path: 'open', typeflag: '5', mode: 0o777 },
    { path: 'link', typeflag: '2', linkpath: 'su', mode: 0o777 },
    file('free', 'x', { mode: 0o666 }),
  ]);
  assert.deepEqual(inspected(image).notable, {
    setuid: ['sg', 'su'],
    capabilities: ['cap'],
    devices: ['null'],
    worldWritable: ['free', 'open'],
  });
});

test('--fail-if: holds, does not, makes no sense', (t) => {
  const image = WASTEFUL(t);
  for (const [condition, measured] of [
    ['waste>10%', '90.1%'],
    ['waste >= 11KB', '11.8 kB'],
    ['removed>1000', '6.1 kB'],
    ['layers>3', '4'],
    ['setuid<1', '0'],
  ] as const) {
    const { code, stdout, stderr } = run(['inspect', image, '--fail-if', condition, '--fail-if', 'size>1G']);
    assert.equal(code, 1, condition);
    assert.ok(stdout.length > 100, 'the rest is printed all the same');
    assert.equal(stderr, `flatten: ${condition}: it is ${measured}\n`);
  }
  assert.deepEqual(inspected(image, '--fail-if', 'waste>95%').failed, []);
  const { code, stdout } = run(['inspect', image, '--json', '--fail-if', 'layers>3']);
  assert.deepEqual([code, JSON.parse(stdout.toString()).failed], [1, ['layers>3']]);
  for (const condition of [
    'waste',
    'waste>',
    '>1',
    'wast>1',
    'layers>10%',
    'size>10%',
    'waste>ten',
    'layers>1.5',
    'entries>1K',
    'waste=1',
    '',
  ]) {
    const { code, stderr } = run(['inspect', 'no-such-image', '--fail-if', condition]);
    assert.equal(code, 2, condition);
    assert.ok(stderr.startsWith(`flatten: error: --fail-if ${condition}: makes no sense\n  `), stderr);
  }
  assert.match(
    run(['inspect', image, '--fail-if', 'twice>1M']).stderr,
    /only the content can tell\n {2}add --content\n/,
  );
});

test('a condition is read as it is written', () => {
  const sized = (text: string) => parseCondition(text, Number);
  assert.deepEqual(sized(' waste >= 12.5 % '), {
    text: ' waste >= 12.5 % ',
    measure: 'waste',
    operator: '>=',
    value: 12.5,
    isPercent: true,
  });
  assert.deepEqual(sized('world-writable<3'), {
    text: 'world-writable<3',
    measure: 'world-writable',
    operator: '<',
    value: 3,
    isPercent: false,
  });
});

test('on the screen: blocks where the locale has UTF-8, else ASCII; nothing steers the terminal', (t) => {
  const image = layout(
    t,
    ['RUN \x1b[31mevil', file('a\x1b[31m', 'x'.repeat(9))],
    ['RUN rm', file('.wh.a\x1b[31m', '')],
  );
  const shown = (LC_ALL: string) => run(['inspect', image], { env: { LC_ALL } }).stdout.toString();
  assert.match(shown('C.UTF-8'), /░{16}/);
  assert.match(shown('C'), /\.{16}/);
  for (const text of [shown('C'), shown('C.UTF-8')]) assert.doesNotMatch(text, /\x1b/);
});

test('the demo image, and a root filesystem that has no config', (t) => {
  const { image, start, tree, layers } = inspected(DEMO);
  assert.deepEqual(
    [image.name, image.kind, tree.entries, layers.length],
    ['flatten/demo:latest', 'docker-archive', 27, 4],
  );
  assert.ok(start.env.length > 0);
  const cwd = scratch(t);
  mkdirSync(join(cwd, 'empty'));
  const bare = inspected(join(cwd, 'empty'));
  assert.equal(bare.start, undefined);
  assert.equal(bare.waste.bytes, 0);
  assert.equal(run(['inspect', join(cwd, 'empty')]).code, 0);
});

realSuite('real images', () => {
  for (const one of realArchives()) {
    if (!one.images.some(({ expected }) => expected)) continue;
    test(one.file, async (t) => {
      const chosen = choices(one, scratch(t));
      for (const [index, real] of one.images.entries()) {
        if (real.expected === undefined) continue;
        const reference = chosen[index] === undefined ? {} : { reference: chosen[index] };
        await using image = await openImage(pathOf(one), { ...reference, digests: false });
        await using history = await image.history();
        const { waste } = await inspect(history);
        // What other tools have unpacked, each inode once; no image here has holes.
        const inodes = new Map<string, number>();
        for (const line of expectedLines(real)) {
          const [path, kind, , , , size, , , group] = line.split('\t');
          if (kind === 'f') inodes.set(group === '-' ? path! : `link ${group}`, Number(size));
        }
        const shown = [...inodes.values()].reduce((sum, size) => sum + size, 0);
        assert.equal(waste.carried, shown + waste.bytes);
      }
    });
  }
});
