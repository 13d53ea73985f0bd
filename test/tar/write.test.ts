import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { TarEntry } from '../../src/tar/entry.js';
import { scanTar } from '../../src/tar/scan.js';
import { END, encodeMember, padding } from '../../src/tar/write.js';
import type { Member } from '../../src/tar/written-member.js';

const PLAIN: Member = {
  path: 'f',
  type: 'file',
  linkpath: '',
  mode: 0o644,
  uid: 0,
  gid: 0,
  mtime: 0n,
  size: 0,
  major: 0,
  minor: 0,
  xattrs: new Map(),
};

/** The one entry of an archive of `headers` and as many zeros as they announce, which nobody reads. */
function scanned(header: Buffer): TarEntry {
  const far = 2 ** 50;
  const entries = scanTar({
    size: far,
    read: (target, position) => {
      target.fill(0);
      header.copy(target, 0, Math.min(position, header.length));
      return target.length;
    },
  });
  const { value } = entries.next();
  assert.ok(value !== undefined);
  return value;
}

/** What a member says, without where its bytes lie. */
function said({ offset, headerBytes, ...entry }: TarEntry): Member {
  return entry;
}

test('a plain member is one ustar block', () => {
  const { header } = encodeMember({ ...PLAIN, path: 'usr/bin/env', mode: 0o7755, uid: 1, gid: 2, size: 9 });
  assert.equal(header.length, 512);
  assert.equal(header.toString('latin1', 0, 12), 'usr/bin/env\0');
  assert.equal(
    header.toString('latin1', 100, 148),
    '0007755\x000000001\x000000002\x0000000000011\x0000000000000\0',
  );
  assert.equal(header.toString('latin1', 156, 157), '0');
  assert.equal(header.toString('latin1', 257, 265), 'ustar\x0000');
  // No user and group names: they would be those of the machine.
  assert.ok(header.subarray(265, 329).every((byte) => byte === 0));
});

/** Whether the member is more than a ustar block, and which special headers stand before it. */
function specials(member: Partial<Member>): string {
  const { header } = encodeMember({ ...PLAIN, ...member });
  let types = '';
  for (let at = 0; at < header.length; ) {
    const type = header.toString('latin1', at + 156, at + 157);
    types += type;
    const size = 'xLK'.includes(type) ? Number.parseInt(header.toString('latin1', at + 124, at + 135), 8) : 0;
    at += 512 + size + padding(size);
  }
  return types;
}

test('what ustar cannot hold, and nothing else, gets a header before it', () => {
  assert.equal(specials({ path: 'n'.repeat(100) }), '0');
  assert.equal(specials({ path: 'n'.repeat(101) }), 'x0');
  assert.equal(specials({ path: `${'p'.repeat(155)}/${'n'.repeat(100)}` }), '0');
  assert.equal(specials({ path: `${'p'.repeat(156)}/n` }), 'x0');
  assert.equal(specials({ path: `p/${'n'.repeat(101)}` }), 'x0');
  assert.equal(specials({ type: 'directory', path: `${'n'.repeat(99)}/` }), '5');
  assert.equal(specials({ type: 'directory', path: `${'n'.repeat(100)}/` }), 'x5');
  assert.equal(specials({ path: '\xff'.repeat(100) }), '0');
  assert.equal(specials({ path: '\xff'.repeat(101) }), 'L0');
  assert.equal(specials({ type: 'symlink', linkpath: 't'.repeat(100) }), '2');
  assert.equal(specials({ type: 'symlink', linkpath: 't'.repeat(101) }), 'x2');
  assert.equal(specials({ type: 'link', linkpath: '\xe9'.repeat(101) }), 'K1');
  assert.equal(specials({ path: '\xff'.repeat(101), linkpath: '\xff'.repeat(101), uid: 2 ** 21 }), 'LKx0');
  assert.equal(specials({ uid: 2 ** 21 - 1, gid: 2 ** 21 - 1 }), '0');
  assert.equal(specials({ gid: 2 ** 21 }), 'x0');
  assert.equal(specials({ size: 2 ** 33 - 1 }), '0');
  assert.equal(specials({ size: 2 ** 33 }), 'x0');
  assert.equal(specials({ mtime: (2n ** 33n - 1n) * 1_000_000_000n }), '0');
  assert.equal(specials({ mtime: 2n ** 33n * 1_000_000_000n }), 'x0');
  assert.equal(specials({ mtime: 1n }), 'x0');
  assert.equal(specials({ mtime: -1_000_000_000n }), 'x0');
});

test('PAX records are sorted, count their own length, and hold raw bytes', () => {
  const xattrs = new Map([
    ['user.b', Buffer.from([0, 0xff, 0x0a])],
    ['user.a=1', Buffer.from('v'.repeat(90))],
    ['user.100%', Buffer.alloc(0)],
  ]);
  const { header } = encodeMember({ ...PLAIN, mtime: -1_500_000_000n, xattrs });
  const size = Number.parseInt(header.toString('latin1', 124, 135), 8);
  assert.equal(
    header.toString('latin1', 512, 512 + size),
    '27 SCHILY.xattr.user.100%=\n' +
      `119 SCHILY.xattr.user.a%3D1=${'v'.repeat(90)}\n` +
      '27 SCHILY.xattr.user.b=\x00\xff\n\n' +
      '14 mtime=-1.5\n',
  );
});

test('runs of a sparse file are grown to blocks, since GNU tar counts on it', () => {
  const segments = [
    { start: 10, length: 4 },
    { start: 1020, length: 8 },
    { start: 5000, length: 2 },
  ];
  const { header, runs } = encodeMember({ ...PLAIN, size: 5003, segments });
  assert.deepEqual(runs, [
    { start: 0, length: 1536 },
    { start: 4608, length: 395 },
  ]);
  assert.equal(
    header.subarray(-512).toString('latin1').replaceAll('\0', ''),
    '3\n0\n1536\n4608\n395\n5003\n0\n',
  );
});

test('a sparse file whose map no reader would take is written plain', () => {
  const segments = Array.from({ length: 100_000 }, (_, i) => ({ start: i * 4096, length: 512 }));
  const { header, runs } = encodeMember({ ...PLAIN, size: 409_600_000, segments });
  assert.equal(runs, undefined);
  assert.equal(scanned(header).size, 409_600_000);
});

const bytes = (min: number, max: number) =>
  fc
    .uint8Array({ minLength: min, maxLength: max })
    .map((array) => Buffer.from(array).toString('latin1').replaceAll('\0', 'n'));
const name = fc.oneof(
  bytes(1, 300),
  fc.stringMatching(/^[a-z/]{1,300}$/),
  fc.array(bytes(1, 60), { minLength: 1, maxLength: 8 }).map((parts) => parts.join('/')),
);
const id = fc.oneof(fc.nat(3_000_000), fc.integer({ min: 0, max: 2 ** 32 - 2 }));
const xattrName = bytes(1, 30).map((text) => `user.${text.replaceAll('=', 'e').replaceAll('%', 'p')}`);
const member: fc.Arbitrary<Member> = fc.record({
  path: name,
  type: fc.constantFrom('file', 'link', 'symlink', 'char', 'block', 'directory', 'fifo'),
  linkpath: name,
  mode: fc.nat(0o7777),
  uid: id,
  gid: id,
  mtime: fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }),
  size: fc.oneof(fc.nat(10_000), fc.nat(2 ** 45)),
  major: fc.nat(0xfff),
  minor: fc.nat(0xfffff),
  xattrs: fc
    .array(fc.tuple(xattrName, fc.uint8Array({ maxLength: 300 })))
    .map((pairs) => new Map(pairs.map(([key, value]) => [key, Buffer.from(value)]))),
});

test('property: what is written is what is read', () => {
  fc.assert(
    fc.property(member, (any) => {
      const isLink = any.type === 'link' || any.type === 'symlink';
      const isDevice = any.type === 'char' || any.type === 'block';
      const expected = {
        ...any,
        // Readers take a slash at the end for a directory's.
        path: any.type === 'directory' ? `${any.path}/` : any.path.replace(/\/$/, 'n'),
        linkpath: isLink ? any.linkpath : '',
        size: any.type === 'file' ? any.size : 0,
        ...(isDevice ? {} : { major: 0, minor: 0 }),
      };
      const { header } = encodeMember(expected);
      assert.equal(header.length % 512, 0);
      assert.deepEqual(said(scanned(header)), expected);
    }),
    { numRuns: 500 },
  );
});

test('property: a sparse file keeps its size, and every run is within one of those read', () => {
  const gaps = fc.array(fc.tuple(fc.nat(5000), fc.integer({ min: 1, max: 5000 })), { maxLength: 30 });
  fc.assert(
    fc.property(gaps, fc.nat(5000), name, (pairs, tail, path) => {
      let end = 0;
      const segments = pairs.map(([gap, length]) => {
        const start = end + gap;
        end = start + length;
        return { start, length };
      });
      const { header, runs } = encodeMember({ ...PLAIN, path, size: end + tail, segments });
      const entry = scanned(header);
      assert.equal(entry.path, path);
      assert.equal(entry.size, end + tail);
      const read = entry.segments ?? [{ start: 0, length: entry.size }];
      if (entry.size > 0) assert.deepEqual(runs, read);
      for (const { start, length } of segments) {
        assert.ok(read.some((run) => run.start <= start && run.start + run.length >= start + length));
      }
      for (const run of read.slice(0, -1)) assert.equal(run.length % 512, 0);
    }),
  );
});

test('the end is two zero blocks', () => {
  assert.deepEqual(END, Buffer.alloc(1024));
});
