/** Lists, patterns and parts: all that is decided before an image is touched. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FlattenError } from '../../src/errors.js';
import { Claims } from '../../src/fleet/claims.js';
import { jobsOf } from '../../src/fleet/job.js';
import { keyOf } from '../../src/fleet/key.js';
import { parseList } from '../../src/fleet/list.js';
import { valuesOf } from '../../src/fleet/names.js';
import { inOrder } from '../../src/fleet/order.js';
import { fill, parsePattern } from '../../src/fleet/pattern.js';
import { parseShard, shardOf } from '../../src/fleet/shard.js';
import { parseInput } from '../../src/sources/transport.js';
import { runs } from '../support/stacks.js';

const list = (text: string) => parseList(Buffer.from(text), 'list');

/** Asserts that it is refused, as a mistake of the user. */
function refused(act: () => unknown, message: RegExp, hint?: RegExp): void {
  assert.throws(act, (error) => {
    assert.ok(error instanceof FlattenError, String(error));
    assert.equal(error.code, 'USAGE');
    assert.match(error.message, message);
    if (hint) assert.match(error.hint ?? '', hint);
    return true;
  });
}

test('a list has a reference or an object a line, and comments', () => {
  const text =
    '\ufeff# all\r\na.tar\r\n\r\n  docker://b:1  # why\nhttps://h/c.tar#sha256:0\n{"image":"d#e.tar","platform":"linux/arm64"}';
  assert.deepEqual(list(text), [
    { place: 'list:2', item: { image: 'a.tar' } },
    { place: 'list:4', item: { image: 'docker://b:1' } },
    { place: 'list:5', item: { image: 'https://h/c.tar#sha256:0' } },
    { place: 'list:6', item: { image: 'd#e.tar', platform: 'linux/arm64' } },
  ]);
  assert.deepEqual(list('# nothing\n\n'), []);
});

test('what makes no sense in a list is refused with its line', () => {
  for (const [text, message, hint] of [
    ['a\n{"image": 1}', /^list:2: "image" must be a text$/, undefined],
    ['{"output": "x"}', /^list:1: has no "image"$/, /"image"/],
    ['{"image": "a", "platfrom": "x"}', /^list:1: "platfrom" is no option$/, /did you mean "platform"/],
    ['{"image": "a", "__proto__": {}}', /"__proto__" is no option/, undefined],
    ['{"image": "a", "force": "yes"}', /^list:1: "force" must be true or false$/, undefined],
    ['{"image": "a", "exclude": "x"}', /"exclude" must be a list of texts/, undefined],
    ['{"image": "a", "maxSize": -1}', /"maxSize" must be a whole number, not negative/, undefined],
    ['{"image": "a", "disk": {"sizes": 1}}', /^list:1: disk: "sizes" is no option$/, /"size"/],
    [
      '{"image": "a", "disk": {"free": "64M"}}',
      /disk: "free" must be a whole number, .*or an object/,
      undefined,
    ],
    ['{"image": "a", "mkdir": [{"path": 1}]}', /mkdir: "path" must be a text/, undefined],
    ['{"image": "a"', /^list:1: is not JSON: /, undefined],
    ['{"image": "a\\u0000b"}', /"image" must be a text/, undefined],
    ['a\tb\x07c', /"image" must be a text/, undefined],
    [`${'x'.repeat(70_000)}`, /^list:1: has more than 65,536 characters$/, undefined],
  ] as const)
    refused(() => list(text), message, hint);
  refused(
    () => parseList(Buffer.from([0x61, 0xff, 0x0a]), 'image.tar'),
    /^image\.tar: is not a list of images/,
  );
});

test('a pattern has the placeholders that there are, and no others', () => {
  refused(
    () => parsePattern('a/{tags}.ext4', 'here'),
    /^here: a\/\{tags\}\.ext4: \{tags\} is no placeholder$/,
    /\{tag\}\? there/,
  );
  for (const text of ['a{tag', 'a}b', '{{tag}', '{tag}}'])
    refused(() => parsePattern(text, 'here'), /brace without its other half/);
  assert.equal(parsePattern('{repository}/{tag}', 'here').isLate, false);
  for (const late of ['digest', 'platform', 'layers']) assert.ok(parsePattern(`{${late}}`, 'here').isLate);
});

test('a reference says what stands for a placeholder', () => {
  const values = (text: string, reference?: string) => valuesOf(parseInput(text), reference);
  assert.deepEqual(values('docker://alpine'), {
    registry: 'docker.io',
    repository: 'library/alpine',
    name: 'alpine',
    tag: 'latest',
  });
  assert.deepEqual(values(`docker://localhost:5000/a/b@sha256:${'0'.repeat(64)}`), {
    registry: 'localhost_5000',
    repository: 'a/b',
    name: 'b',
  });
  assert.deepEqual(values('docker-daemon:team/app:1'), { repository: 'team/app', name: 'app', tag: '1' });
  assert.deepEqual(values('some/where/app.oci.tar.gz'), { name: 'app' });
  assert.deepEqual(values('docker-archive:x/save.tar:ghcr.io/team/app:1'), {
    registry: 'ghcr.io',
    repository: 'team/app',
    name: 'app',
    tag: '1',
  });
  assert.deepEqual(values('oci:layout:1.0'), { name: 'layout', tag: '1.0' });
  assert.deepEqual(values('save.tar', 'team/app:2'), { name: 'app', repository: 'team/app', tag: '2' });
  assert.deepEqual(values('https://h/x/app.tar.gz?token=secret'), { name: 'app' });
});

test('no value leads out of its place', () => {
  const pattern = parsePattern('disks/{repository}/{tag}.ext4', 'here');
  assert.equal(fill(pattern, { repository: 'a/b', tag: '1' }, 'here'), 'disks/a/b/1.ext4');
  for (const bad of ['..', 'a/../b', '/etc', 'a//b', 'a/.', '', 'a\nb', 'x'.repeat(256)])
    refused(() => fill(pattern, { repository: bad, tag: '1' }, 'here'), /cannot be a part of a path/);
  refused(() => fill(pattern, { repository: 'a', tag: 'b/c' }, 'here'), /its tag, "b\/c", cannot/);
  refused(() => fill(pattern, { repository: 'a' }, 'list:3'), /^list:3: has no \{tag\}/, /\{repository\}/);
  fc.assert(
    fc.property(fc.string(), fc.string(), (repository, tag) => {
      let path: string;
      try {
        path = fill(pattern, { repository, tag }, 'here');
      } catch {
        return;
      }
      const parts = path.split('/');
      assert.equal(parts[0], 'disks');
      assert.ok(
        parts.every((part) => !['', '.', '..'].includes(part) && !/[\x00-\x1f]/.test(part)),
        path,
      );
    }),
    runs(500),
  );
});

test('what stands in the way of one line is told before any work, with the line', () => {
  const jobs = (text: string, output = 'disks/{name}.ext4', shared = {}) =>
    jobsOf(list(text), shared, output);
  for (const [text, output, message] of [
    ['a.tar\n-', 'x/{name}.tar', /^list:2: -: standard input is no image/],
    ['docker://A', 'x.tar', /^list:1: docker:\/\/A: a name is in lower case/],
    ['a.tar', '{tag}.tar', /^list:1: has no \{tag\}/],
    ['a.tar', 'disks/{name}.qcow2', /^list:1: disks\/a\.qcow2: /],
    ['a.tar', '-', /is no file or directory that a later run could find/],
    ['a.tar', 'docker-daemon:{name}:1', /is no file or directory that a later run could find/],
    ['{"image":"a.tar","platform":"linux"}', 'x.tar', /^list:1: platform linux: /],
    ['{"image":"a.tar","disk":{"label":"x"}}', '{name}.tar', /^list:1: \{label\}: only for disk images/],
    ['{"image":"a.tar","format":"ext5"}', '{name}.tar', /^list:1: \{format: ext5\}: unknown/],
  ] as const)
    refused(() => jobs(text, output), message);
  const [job] = jobs('{"image":"a.tar","disk":{"label":"own"},"exclude":["b"]}', undefined, {
    disk: { label: 'all', size: 10 },
    exclude: ['a'],
    force: true,
  });
  assert.deepEqual(job!.options, { disk: { label: 'own', size: 10 }, exclude: ['b'], force: true });
});

test('two that would write one file, or one in the other, are refused', () => {
  const claims = new Claims();
  claims.write([{ path: 'a/x', isDirectory: false }], 'list:1');
  refused(
    () => claims.write([{ path: './a//x', isDirectory: false }], 'list:2'),
    /^list:2: writes \.\/a\/\/x, and so does list:1$/,
    /\{registry\}/,
  );
  claims.write([{ path: 'tree', isDirectory: true }], 'list:3');
  claims.refuseMixed();
  claims.write([{ path: 'tree/deep/y', isDirectory: false }], 'list:4');
  refused(() => claims.refuseMixed(), /^list:4: writes .*tree\/deep\/y, and list:3 writes all of .*tree$/);
  const reading = new Claims();
  reading.read('b.tar', 'list:1');
  reading.write([{ path: 'b.tar', isDirectory: false }], 'list:2');
  refused(() => reading.refuseMixed(), /^list:2: writes .*b\.tar, which list:1 reads$/);
});

test('the parts of a list are disjoint, and together all of it', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string()), fc.integer({ min: 1, max: 20 }), (names, count) => {
      const parts = Array.from({ length: count }, (_, index) =>
        names.filter((name) => shardOf(name, count) === index + 1),
      );
      assert.deepEqual(parts.flat().sort(), [...names].sort());
      assert.equal(parts.flat().length, names.length);
    }),
    runs(300),
  );
  // The same on every machine: these are written down.
  assert.deepEqual(
    ['a', 'b', 'disks/app/1.0.ext4'].map((name) => shardOf(name, 8)),
    SHARDS,
  );
});

const SHARDS = [4, 2, 6];

test('a part is named, or a scheduler says it', () => {
  assert.deepEqual(parseShard('3/8'), { index: 3, count: 8 });
  assert.deepEqual(parseShard('env', { JOB_COMPLETION_INDEX: '0', SHARD_COUNT: '4' }), {
    index: 1,
    count: 4,
  });
  const slurm = { SLURM_ARRAY_TASK_ID: '7', SLURM_ARRAY_TASK_MIN: '5', SLURM_ARRAY_TASK_COUNT: '3' };
  assert.deepEqual(parseShard('env', slurm), { index: 3, count: 3 });
  for (const text of ['0/8', '9/8', '1', 'a/b', '1/0', '-1/8']) refused(() => parseShard(text), /^\{shard: /);
  refused(() => parseShard('env', {}), /neither JOB_COMPLETION_INDEX nor SLURM_ARRAY_TASK_ID is set/);
  refused(() => parseShard('env', { JOB_COMPLETION_INDEX: '1' }), /SHARD_COUNT is not/, /set SHARD_COUNT/);
  refused(() => parseShard('env', { JOB_COMPLETION_INDEX: '4', SHARD_COUNT: '4' }), /numbered from 1/);
  refused(() => parseShard('env', { JOB_COMPLETION_INDEX: 'x', SHARD_COUNT: '4' }), /is no whole number/);
});

test('the options that change what is written have a digest of their own, whatever their order', () => {
  const key = (options: object) => keyOf(options, ['0.1.0']);
  assert.equal(
    key({ exclude: ['a'], disk: { size: 1, label: 'x' } }),
    key({ disk: { label: 'x', size: 1 }, exclude: ['a'] }),
  );
  assert.equal(
    key({ force: true, cache: 'c', cacheSize: 1, authfile: 'f', insecure: ['h'], digest: true }),
    key({}),
  );
  const different = [
    {},
    { exclude: ['a'] },
    { exclude: ['b'] },
    { disk: { size: 1 } },
    { format: 'ext4' },
    { sourceDateEpoch: 1 },
  ];
  assert.equal(new Set(different.map(key)).size, different.length);
  assert.notEqual(keyOf({}, ['0.1.0']), keyOf({}, ['0.2.0']));
});

test('images that share their lowest layer are made one after the other, the largest first', () => {
  const work = (name: string, size: number, base?: string) => ({
    name,
    size,
    ...(base && { look: { layers: [{ digest: `sha256:${base}` as const, size: 1 }] } }),
  });
  const order = inOrder([
    work('a1', 5, 'a'),
    work('b1', 7, 'b'),
    work('file', 6),
    work('a2', 9, 'a'),
    work('b2', 1, 'b'),
    work('small', 2),
  ]);
  assert.deepEqual(
    order.map(({ name }) => name),
    ['a2', 'a1', 'b1', 'b2', 'file', 'small'],
  );
});
