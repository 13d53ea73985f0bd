/** `flatten explain`: the questions that people ask, each by its command. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { ociFiles, writeFiles } from '../support/image.js';
import { run } from '../support/program.js';
import { PROJECT } from '../support/project.js';
import { scratch } from '../support/scratch.js';
import { archive, type Member } from '../support/tar.js';

const DEMO = join(PROJECT, 'test/images/demo.tar');

const file = (path: string, body = 'x', more: Partial<Member> = {}): Member => ({
  path,
  body: Buffer.from(body),
  ...more,
});
const folder = (path: string, more: Partial<Member> = {}): Member => ({
  path,
  typeflag: '5',
  mode: 0o755,
  ...more,
});
const link = (path: string, linkpath: string): Member => ({ path, linkpath, typeflag: '1' });
const symlink = (path: string, linkpath: string): Member => ({ path, linkpath, typeflag: '2', mode: 0o777 });

/** An OCI layout of layers of these members, each with its command. */
function layout(t: Parameters<typeof scratch>[0], ...layers: [command: string, ...Member[]][]): string {
  const directory = join(scratch(t), 'layout');
  const history = [
    { created_by: '/bin/sh -c #(nop)  ENV A=1', empty_layer: true },
    ...layers.map(([command]) => ({ created_by: command })),
  ];
  const tars = layers.map(([, ...members]) => ({ tar: archive(members) }));
  writeFiles(directory, ociFiles(tars, { config: { history } }));
  return directory;
}

/** What is printed, without digests. */
function explained(code: number, ...args: string[]): string[] {
  const result = run(['explain', ...args]);
  assert.equal(result.stderr, '');
  assert.equal(result.code, code);
  return result.stdout
    .toString()
    .replace(/ \(sha256:[0-9a-f]{12}…\)/g, '')
    .split('\n')
    .slice(0, -1);
}

test('which layer added usr/bin/python3?', (t) => {
  const image = layout(
    t,
    ['COPY base / # buildkit', folder('usr'), folder('usr/bin'), file('usr/bin/sh')],
    [
      'RUN /bin/sh -c apt-get install -y python3 # buildkit',
      file('usr/bin/python3.11', 'python', { mode: 0o755 }),
      symlink('usr/bin/python3', 'python3.11'),
    ],
    ['COPY app / # buildkit', file('app')],
  );
  assert.deepEqual(explained(0, image, 'usr/bin/python3'), [
    'usr/bin/python3',
    '  layer 2: added: lrwxrwxrwx 0:0 -> python3.11',
    '      RUN apt-get install -y python3',
    '  comes from layer 2 of 3',
  ]);
});

test('why is etc/foo missing?', (t) => {
  const image = layout(
    t,
    ['COPY a', folder('etc'), file('etc/foo', 'foo'), folder('etc/d'), file('etc/d/f')],
    ['RUN rm', file('etc/.wh.foo', '')],
    ['RUN rm -r', file('.wh.etc', '')],
  );
  assert.deepEqual(explained(1, image, 'etc/foo'), [
    'etc/foo',
    '  layer 1: added: -rw-r--r-- 0:0, 3 bytes',
    '      COPY a',
    '  layer 2: a whiteout, which hid the file (rule 8)',
    '      RUN rm',
    '  is not in the image since layer 2 of 3',
  ]);
  assert.deepEqual(explained(1, image, 'etc/d/f').slice(3), [
    '  layer 3: a whiteout of etc, which hid the file (rule 8)',
    '      RUN rm -r',
    '  is not in the image since layer 3 of 3',
  ]);
  assert.deepEqual(explained(0, image, 'etc/foo', '--layer', '1').at(-1), '  comes from layer 1 of 1');
});

test('a name that no layer ever had: the nearest that are there', (t) => {
  const image = layout(t, ['COPY', file('etc/passwd'), file('opt/app.conf')]);
  assert.deepEqual(explained(1, image, 'etc/paswd'), [
    'etc/paswd',
    '  is not in the image, and no layer ever had it; there is etc/passwd',
  ]);
  assert.match(explained(1, image, 'etc/app.conf').at(-1)!, /; there is opt\/app\.conf$/);
  assert.doesNotMatch(explained(1, image, 'nothing/like/it').at(-1)!, /there is/);
});

test('what did the chown cost? a copy with the same content, and one with other content of that size', (t) => {
  const image = layout(
    t,
    ['COPY', file('a', 'same'), file('b', 'abcd')],
    ['RUN chown', file('a', 'same', { uid: 7, mode: 0o600 }), file('b', 'dcba', { uid: 7 })],
  );
  assert.deepEqual(explained(0, image, 'a').slice(3), [
    '  layer 2: replaced by a file of the same content: mode 0644 -> 0600, owner 0:0 -> 7:0; the copy costs 4 bytes (rule 11)',
    '      RUN chown',
    '  comes from layer 2 of 2',
  ]);
  assert.match(explained(0, image, 'b')[3]!, /replaced the file: -rw-r--r-- 7:0, 4 bytes \(rule 11\)$/);
});

test('directories, opaque markers, symlinks on the way, hard links, and what is no directory any more', (t) => {
  const image = layout(
    t,
    ['one', folder('d'), file('d/a'), file('e/f'), symlink('l', 'd'), file('x')],
    ['two', folder('d', { mode: 0o700 }), file('d/.wh..wh..opq', ''), file('d/b'), link('y', 'x')],
    ['three', file('e', 'now a file'), file('.wh.none', '')],
  );
  assert.match(explained(0, image, 'd')[3]!, /layer 2: described anew: mode 0755 -> 0700 \(rule 11\)/);
  assert.match(
    explained(1, image, 'd/a')[3]!,
    /layer 2: an opaque marker in d, which hid the file \(rule 9\)/,
  );
  assert.deepEqual(
    explained(0, image, 'l/b').slice(0, 3),
    ['l/b', '  through the symlink l -> d', '  layer 2: added: -rw-r--r-- 0:0, 1 bytes'].map((line) =>
      line.replace('1 bytes', '1 byte'),
    ),
  );
  assert.match(explained(0, image, 'y')[1]!, /layer 2: added: .*, as a hard link \(rule 5\)/);
  assert.equal(explained(0, image, 'y').at(-1), '  comes from layer 2 of 3; the same inode as x');
  assert.match(
    explained(1, image, 'e/f')[3]!,
    /layer 3: e is no directory any more, which hid the file \(rule 11\)/,
  );
  assert.match(explained(0, image, 'e')[1]!, /added: drwxr-xr-x 0:0, implied by what is below it \(rule 3\)/);
  assert.match(
    explained(0, image, 'e')[3]!,
    /layer 3: replaced the directory: -rw-r--r-- 0:0, 10 bytes \(rule 11\)/,
  );
  assert.match(explained(1, image, 'none')[1]!, /layer 3: a whiteout, but nothing was there \(rule 8\)/);
});

test('globs find what was removed, too, and one that finds nothing is an error', () => {
  assert.deepEqual(
    explained(1, DEMO, 'etc/conf.d/*').filter((line) => !line.startsWith(' ')),
    ['etc/conf.d/10-defaults', '', 'etc/conf.d/10-production', '', 'etc/conf.d/20-debug'],
  );
  const { code, stderr } = run(['explain', DEMO, 'no*thing']);
  assert.equal(code, 1);
  assert.match(stderr, /^flatten: error: no\*thing: no layer has such a path\n/);
});

test('JSON has all of it, with digests', (t) => {
  const image = layout(t, ['COPY', file('a', 'same')], ['RUN chmod', file('a', 'same', { mode: 0o600 })]);
  const { stdout } = run(['explain', image, 'a', 'b', '--json']);
  const { version, paths } = JSON.parse(stdout.toString());
  assert.equal(version, 1);
  const [a, b] = paths;
  assert.deepEqual([a.path, a.isThere, a.layer, a.entry.mode], ['a', true, 2, '0600']);
  assert.match(a.steps[0].diffID, /^sha256:[0-9a-f]{64}$/);
  const { act, rule, createdBy, sameContent, bytes, entry, hid } = a.steps[1];
  assert.deepEqual([act, rule, createdBy, sameContent, bytes], ['replaced', 11, 'RUN chmod', true, 4]);
  assert.deepEqual([entry.mode, hid.mode], ['0600', '0644']);
  assert.deepEqual([b.isThere, b.steps, b.nearest], [false, [], []]);
});
