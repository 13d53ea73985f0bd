import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scanTar } from '../../src/tar/scan.js';
import { HeaderWalk } from '../../src/tar/walk-headers.js';
import { archive, type Member } from '../support/tar.js';

const BODY = Buffer.alloc(3000, 'x');
const long = 'n'.repeat(300);
const sparse = (form: 'old-gnu' | 'pax-0.0' | 'pax-0.1' | 'pax-1.0', count: number): Member => ({
  path: `${form}${count}`,
  dialect: form === 'old-gnu' ? 'gnu' : 'pax',
  sparse: { form, realSize: 1e6, runs: Array.from({ length: count }, (_, at) => [at * 1024, 512]) },
  body: Buffer.alloc(count * 512, 'y'),
});

/** Members of every kind that say in their own way how long they are. */
const MEMBERS: readonly Member[] = [
  { path: 'a', body: BODY },
  { path: 'd/', typeflag: '5' },
  { path: 'v7', dialect: 'v7', body: BODY },
  { path: 'old/', dialect: 'v7', typeflag: '\0', header: { size: 700 } },
  { path: long, dialect: 'gnu', body: BODY },
  { path: long, body: BODY },
  { path: 'link', typeflag: '1', linkpath: 'a', header: { size: 3000 } },
  { path: 'size', body: BODY, records: [['size', '3000']], header: { size: 0 } },
  sparse('old-gnu', 3),
  sparse('old-gnu', 60),
  sparse('pax-0.0', 9),
  sparse('pax-0.1', 9),
  sparse('pax-1.0', 90),
  { path: 'last', body: BODY },
];

/** Walks an archive that grows by so many bytes at a time. */
function walked(tar: Buffer, step: number, most = Number.POSITIVE_INFINITY): number {
  let members = 0;
  const onMembers = (count: number) => {
    members += count;
  };
  const walk = new HeaderWalk({ most, onMembers, onUnusual: () => {} });
  for (let start = 0; start < tar.length; start += step) {
    const end = Math.min(tar.length, start + step);
    const read = (target: Uint8Array, position: number) => {
      assert.ok(position + target.length <= end, 'bytes that are not there yet');
      target.set(tar.subarray(position, position + target.length));
      return target.length;
    };
    walk.advance(end, read, tar.subarray(start, end));
  }
  return members;
}

test('sees the members that the scan sees, however the archive grows', () => {
  const tar = archive(MEMBERS);
  const scanned = [...scanTar({ size: tar.length, read: (target, at) => tar.copy(target, 0, at) })];
  assert.equal(scanned.length, MEMBERS.length);
  for (const step of [1, 7, 511, 512, 513, 4096, 10_000, tar.length])
    assert.equal(walked(tar, step), MEMBERS.length, `${step} bytes at a time`);
});

test('a wrong header is an error as soon as it is there', () => {
  const tar = Buffer.concat([archive([{ path: 'a', body: BODY }], { end: false }), Buffer.alloc(512, 'z')]);
  for (const step of [512, tar.length])
    assert.throws(() => walked(tar, step), {
      code: 'BAD_LAYER',
      message: /no tar header here.*at byte 3584/,
    });
  assert.throws(() => walked(Buffer.alloc((1 << 20) + 512), 4096), { code: 'BAD_LAYER' });
  assert.equal(walked(Buffer.alloc(1 << 20), 4096), 0);
});

test('a body that is too long is an error, but not before it is worth one', () => {
  const head = archive([{ path: 'f', header: { size: 2 ** 30 } }], { end: false });
  const error = { code: 'LIMIT', path: 'f', message: /goes beyond the 1,000 bytes/ };
  assert.equal(walked(head, 512, 1000), 1);
  assert.throws(() => walked(Buffer.concat([head, Buffer.alloc(65 << 20)]), 1 << 20, 1000), error);
});
