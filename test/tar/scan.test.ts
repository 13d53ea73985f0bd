import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { FlattenError } from '../../src/errors.js';
import type { TarEntry } from '../../src/tar/entry.js';
import { scanTar } from '../../src/tar/scan.js';
import { listTar } from '../support/list-tar.js';
import { lines } from '../support/listing.js';
import { needs } from '../support/needs.js';
import { contentOf, rowsOf, scanBytes } from '../support/scan-bytes.js';
import { scratch } from '../support/scratch.js';
import { runs } from '../support/stacks.js';
import {
  archive,
  END,
  headerBlock,
  type Member,
  memberBytes,
  numeric,
  padded,
  paxHeader,
} from '../support/tar.js';

const one: Member = { path: 'one', body: Buffer.from('1') };
const two: Member = { path: 'two', body: Buffer.alloc(700, '2') };

function paths(tar: Buffer): string[] {
  return scanBytes(tar).map(({ path }) => path);
}

function refused(tar: Buffer, code: FlattenError['code'], ...pieces: string[]): void {
  assert.throws(
    () => scanBytes(tar),
    (error) => {
      assert.ok(error instanceof FlattenError, String((error as Error).stack));
      assert.equal(error.code, code);
      for (const piece of pieces)
        assert.ok(error.message.includes(piece), `${error.message}: no ${piece} in it`);
      return true;
    },
  );
}

suite('one entry, every field', () => {
  const said = ({ offset: _, headerBytes: __, ...entry }: TarEntry) => entry;
  const plain = {
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
  } as const;
  const cases: Readonly<Record<string, readonly [Buffer, Partial<TarEntry>]>> = {
    'base-256 in every number': [
      headerBlock({
        name: 'f',
        uid: numeric(3_000_000, 8),
        gid: numeric(4_294_967_294, 8),
        mtime: numeric(2 ** 40, 12),
      }),
      { uid: 3_000_000, gid: 4_294_967_294, mtime: 2n ** 40n * 10n ** 9n },
    ],
    'a negative mtime in base-256': [
      headerBlock({ name: 'f', mtime: -86_400 }),
      { mtime: -86_400n * 10n ** 9n },
    ],
    'blank numbers': [
      headerBlock({ name: 'f', mode: '', uid: '        ', gid: '\0\0', mtime: '            ' }),
      { mode: 0 },
    ],
    'numbers without an end': [
      headerBlock({ name: 'f', mode: '00000755', mtime: '777777777777' }),
      { mode: 0o755, mtime: BigInt(8 ** 12 - 1) * 10n ** 9n },
    ],
    'bits of the file type in the mode': [headerBlock({ name: 'f', mode: 0o104_755 }), { mode: 0o4755 }],
    'a name that fills its field': [headerBlock({ name: 'n'.repeat(100) }), { path: 'n'.repeat(100) }],
    'name and prefix full': [
      headerBlock({ name: 'n'.repeat(100), prefix: 'p'.repeat(155) }),
      { path: `${'p'.repeat(155)}/${'n'.repeat(100)}` },
    ],
    'a shorter prefix, as star has it': [
      headerBlock({
        name: 'n',
        prefix: 'p'.repeat(131),
        patches: [
          [476, Buffer.from('00000000001\x0000000000002\0')],
          [508, Buffer.from('tar\0')],
        ],
      }),
      { path: `${'p'.repeat(131)}/n` },
    ],
    'times of GNU where others have a prefix': [
      headerBlock({ name: 'n', magic: 'ustar  \0', prefix: '13610547360\x0013610547360\0' }),
      { path: 'n' },
    ],
    'a prefix under the magic of GNU, as Go wrote it before 1.8': [
      headerBlock({ name: 'n', magic: 'ustar  \0', prefix: 'some/where' }),
      { path: 'some/where/n' },
    ],
    'no prefix in v7': [
      headerBlock({ name: 'n', magic: '', patches: [[345, Buffer.from('prefix')]] }),
      { path: 'n' },
    ],
    'a symlink that fills its field': [
      headerBlock({ name: 'l', typeflag: '2', linkname: 't'.repeat(100) }),
      { path: 'l', type: 'symlink', linkpath: 't'.repeat(100) },
    ],
    'a link name that means nothing in a file': [headerBlock({ name: 'f', linkname: 'x' }), {}],
    'device numbers that mean nothing in a file': [
      headerBlock({ name: 'f', major: 'junk', minor: 'junk' }),
      {},
    ],
    'a device with a large minor': [
      headerBlock({ name: 'd', typeflag: '4', major: 259, minor: 1_048_575 }),
      { path: 'd', type: 'block', major: 259, minor: 1_048_575 },
    ],
    'a device in records of star': [
      Buffer.concat([
        paxHeader([
          ['SCHILY.devmajor', '4000'],
          ['SCHILY.devminor', '70000'],
        ]),
        headerBlock({ name: 'd', typeflag: '3' }),
      ]),
      { path: 'd', type: 'char', major: 4000, minor: 70_000 },
    ],
    'a device in records of Solaris': [
      Buffer.concat([
        paxHeader([
          ['SUN.devmajor', '4000'],
          ['SUN.devminor', '70000'],
        ]),
        headerBlock({ name: 'd', typeflag: '3' }),
      ]),
      { path: 'd', type: 'char', major: 4000, minor: 70_000 },
    ],
    'a type 7 is a file': [headerBlock({ name: 'f', typeflag: '7' }), {}],
    'a v7 directory by its slash': [
      headerBlock({ name: 'd/', magic: '' }),
      { path: 'd/', type: 'directory' },
    ],
    'a NUL type with the slash in PAX': [
      Buffer.concat([paxHeader([['path', 'd/']]), headerBlock({ name: 'd', typeflag: '\0' })]),
      { path: 'd/', type: 'directory' },
    ],
    'a size that a directory has': [
      headerBlock({ name: 'd', typeflag: '5', size: 5000 }),
      { path: 'd', type: 'directory' },
    ],
    'a name that is not UTF-8': [headerBlock({ name: 'a\xff\xfe\n' }), { path: 'a\xff\xfe\n' }],
  };
  for (const [name, [headers, expected]] of Object.entries(cases)) {
    test(name, () => {
      const found = scanBytes(Buffer.concat([headers, END]));
      assert.deepEqual(found.map(said), [{ ...plain, ...expected }]);
    });
  }
});

suite('numbers that are none', () => {
  for (const [field, value] of [
    ['mode', '0000x44'],
    ['uid', '12 34'],
    ['size', '-1'],
    ['mtime', '0x10'],
    ['uid', numeric(2 ** 60, 8)],
    ['size', numeric(-512, 12)],
    ['size', `\x80${'\0'.repeat(3)}${'\xff'.repeat(8)}`],
  ] as const) {
    test(`${field} ${JSON.stringify(value)}`, () => {
      refused(archive([{ ...one, header: { [field]: value } }]), 'BAD_LAYER', field === 'size' ? '' : field);
    });
  }
  test('a device number that Linux has not', () => {
    refused(archive([{ path: 'd', typeflag: '3', major: 4096 }]), 'BAD_LAYER', 'd: device major 4096');
    refused(
      archive([{ path: 'd', typeflag: '3', header: { minor: '77777777' } }]),
      'BAD_LAYER',
      'device minor',
    );
  });
});

suite('headers before an entry', () => {
  test('a PAX size is for the entry, not for the long name between', () => {
    const tar = Buffer.concat([
      paxHeader([['size', '3']]),
      headerBlock({ name: '././@LongLink', typeflag: 'L', size: 5, magic: 'ustar  \0' }),
      padded(Buffer.from('long\0')),
      headerBlock({ name: 'short', size: 99_999 }),
      padded(Buffer.from('abc')),
      memberBytes(two),
      END,
    ]);
    const [long, next] = scanBytes(tar);
    assert.equal(long!.path, 'long');
    assert.equal(contentOf(tar, long!).toString(), 'abc');
    assert.equal(next!.path, 'two');
  });

  test('a PAX size hides what the body looks like, and is nothing to an entry without one (CVE-2025-62518)', () => {
    const smuggled = archive([{ path: '../evil', typeflag: '2', linkpath: '/' }]);
    const hidden: Member = {
      path: 'f',
      body: smuggled,
      header: { size: 0 },
      records: [['size', String(smuggled.length)]],
    };
    const tar = archive([hidden, one]);
    assert.deepEqual(paths(tar), ['f', 'one']);
    assert.ok(contentOf(tar, scanBytes(tar)[0]!).equals(smuggled));
    const folder: Member = { path: 'd', typeflag: '5', records: [['size', '512']] };
    assert.deepEqual(paths(archive([folder, one])), ['d', 'one']);
  });

  test('they are for one entry only', () => {
    const tar = archive([{ path: 'n'.repeat(300), dialect: 'gnu' }, { ...one, mtime: 1n }, two]);
    assert.deepEqual(
      scanBytes(tar).map(({ path, mtime }) => [path, mtime]),
      [
        ['n'.repeat(300), 0n],
        ['one', 1n],
        ['two', 0n],
      ],
    );
  });

  test('of two PAX headers the last counts', () => {
    const tar = Buffer.concat([
      paxHeader([
        ['path', 'a'],
        ['uid', '7'],
      ]),
      paxHeader([['path', 'b']]),
      memberBytes(one),
      END,
    ]);
    assert.deepEqual(
      scanBytes(tar).map(({ path, uid }) => [path, uid]),
      [['b', 0]],
    );
  });

  test('global headers set defaults that entries override, and that empty values take back', () => {
    const tar = Buffer.concat([
      paxHeader(
        [
          ['uid', '5'],
          ['gid', '6'],
          ['SCHILY.xattr.user.a', 'global'],
          ['comment', 'nothing'],
        ],
        'g',
      ),
      memberBytes({ ...one, uid: 1 }),
      memberBytes({
        ...two,
        records: [
          ['uid', '9'],
          ['gid', ''],
          ['SCHILY.xattr.user.a', 'own'],
        ],
      }),
      paxHeader([['uid', '']], 'g'),
      memberBytes({ path: 'three' }),
      END,
    ]);
    assert.deepEqual(
      scanBytes(tar).map(({ uid, gid, xattrs }) => [uid, gid, xattrs.get('user.a')!.toString()]),
      [
        [5, 6, 'global'],
        [9, 0, 'own'],
        [0, 6, 'global'],
      ],
    );
  });

  test('a global header says nothing of sparseness', () => {
    const tar = Buffer.concat([
      paxHeader(
        [
          ['GNU.sparse.map', '0,5'],
          ['GNU.sparse.size', '9'],
        ],
        'g',
      ),
      memberBytes(one),
      END,
    ]);
    assert.deepEqual(
      scanBytes(tar).map(({ size, segments }) => [size, segments]),
      [[1, undefined]],
    );
  });

  test('the end of the archive behind one is an error', () => {
    for (const header of [
      paxHeader([['path', 'x']]),
      headerBlock({ typeflag: 'L' }),
      headerBlock({ typeflag: 'K' }),
    ]) {
      refused(Buffer.concat([memberBytes(one), header, END]), 'BAD_LAYER', 'ends between');
      refused(Buffer.concat([memberBytes(one), header]), 'BAD_LAYER', 'ends between');
    }
  });
});

suite('where an archive ends', () => {
  const body = archive([one, two], { end: false });
  const zeros = (blocks: number) => Buffer.alloc(blocks * 512);
  for (const [name, tail] of Object.entries({
    'two zero blocks': zeros(2),
    'many zero blocks': zeros(20),
    'one zero block': zeros(1),
    'part of a zero block': Buffer.alloc(100),
    'one zero block and part of another': Buffer.alloc(600),
    nothing: Buffer.alloc(0),
    'two zero blocks and more entries': Buffer.concat([zeros(2), memberBytes({ path: 'hidden' })]),
    'two zero blocks and garbage': Buffer.concat([zeros(2), Buffer.alloc(3000, 0xa5)]),
  })) {
    test(name, () => assert.deepEqual(paths(Buffer.concat([body, tail])), ['one', 'two']));
  }
  test('nothing at all', () => assert.deepEqual(paths(Buffer.alloc(0)), []));
  test('one zero block with more behind it', () => {
    refused(Buffer.concat([body, zeros(1), memberBytes(one)]), 'BAD_LAYER', 'lone zero block');
  });
  test('part of a header', () =>
    refused(Buffer.concat([body, Buffer.alloc(511, 'x')]), 'BAD_LAYER', 'within a header'));
  test('garbage', () =>
    refused(Buffer.concat([body, Buffer.alloc(512, 'x')]), 'BAD_LAYER', `byte ${body.length}`));
  test('within a body', () => {
    for (const cut of [1, 300, 699]) {
      const whole = archive([one, { ...two, body: Buffer.alloc(1024) }], { end: false });
      refused(whole.subarray(0, whole.length - cut), 'BAD_LAYER', 'two', `${cut} of 1024 bytes are missing`);
    }
  });
  test('within the padding of the last body is no error', () => {
    assert.deepEqual(paths(body.subarray(0, body.length - 300)), ['one', 'two']);
  });
  test('within a PAX header or a long name', () => {
    const pax = paxHeader([['path', 'x'.repeat(600)]]);
    refused(pax.subarray(0, 700), 'BAD_LAYER', 'PAX header is cut short');
    refused(
      memberBytes({ path: 'n'.repeat(900), dialect: 'gnu' }).subarray(0, 700),
      'BAD_LAYER',
      'cut short',
    );
  });
});

suite('bounds', () => {
  test('a PAX header of 100 MB is not read', () => {
    refused(headerBlock({ typeflag: 'x', size: 100 << 20 }), 'LIMIT', 'PAX header of 100 MiB');
    refused(headerBlock({ typeflag: 'L', size: 100 << 20 }), 'LIMIT', 'GNU long name');
    refused(headerBlock({ typeflag: 'g', size: 8 ** 11 - 1 }), 'LIMIT', 'PAX header');
  });
  test('headers without end before an entry', () => {
    refused(Buffer.concat(Array(100).fill(headerBlock({ typeflag: 'L' }))), 'LIMIT', 'too many');
    const large = paxHeader([['comment', 'x'.repeat(1_000_000)]]);
    refused(Buffer.concat([large, large, large, large, large, memberBytes(one)]), 'LIMIT', 'too many');
  });
  test('global defaults without end', () => {
    const header = (index: number) => paxHeader([[`SCHILY.xattr.user.${index}`, 'x'.repeat(20_000)]], 'g');
    const many = (count: number) =>
      Buffer.concat([...Array(count).keys()].flatMap((i) => [header(i), memberBytes(one)]));
    assert.equal(scanBytes(many(3)).length, 3);
    refused(many(4), 'LIMIT', 'global PAX headers');
  });
  test('an entry says what its headers took', () => {
    const sizes = scanBytes(archive([one, { ...one, records: [['comment', 'x'.repeat(5000)]] }, one])).map(
      ({ headerBytes }) => headerBytes,
    );
    assert.equal(sizes[0], 0);
    assert.ok(sizes[1]! > 5000 && sizes[1]! < 5100, String(sizes[1]));
    assert.equal(sizes[2], 0);
  });
  test('a body larger than anything is cut short, not skipped', () => {
    for (const size of [numeric(Number.MAX_SAFE_INTEGER, 12), '77777777777\0']) {
      refused(archive([{ ...one, header: { size } }]), 'BAD_LAYER', 'cut short');
    }
    refused(archive([{ ...one, records: [['size', String(2 ** 53)]] }]), 'BAD_LAYER', 'PAX size');
  });
  test('a name of a megabyte in an error', () => {
    const tar = Buffer.concat([
      memberBytes({ path: 'n'.repeat(1_000_000), dialect: 'gnu', header: { mode: '0000x44' } }),
      END,
    ]);
    assert.throws(
      () => scanBytes(tar),
      ({ message }: Error) => /mode/.test(message) && message.length < 5000,
    );
  });
  test('a source that becomes shorter', () => {
    const tar = archive([one, two]);
    const read = (target: Uint8Array, at: number) => (at < 1000 ? tar.copy(target, 0, at, 1000) : 0);
    assert.throws(() => [...scanTar({ size: tar.length, read })], /one|shorter/);
  });
});

const text = fc.string({
  unit: fc.integer({ min: 1, max: 255 }).map((byte) => String.fromCharCode(byte)),
  minLength: 1,
});
const name = fc.oneof(
  text,
  fc.integer({ min: 1, max: 300 }).map((length) => `${'d/'.repeat(length / 4)}${'n'.repeat(length)}`),
);
const member: fc.Arbitrary<Member> = fc
  .record({
    path: name.map((path) => path.replace(/^\.?\/+|\/+$/g, '') || 'x'),
    dialect: fc.constantFrom<NonNullable<Member['dialect']>[]>('gnu', 'pax'),
    typeflag: fc.constantFrom('0', '\0', '2', '3', '4', '5', '6', '7'),
    mode: fc.integer({ min: 0, max: 0o7777 }),
    uid: fc.oneof(fc.integer({ min: 0, max: 3000 }), fc.integer({ min: 0, max: 2 ** 32 - 2 })),
    gid: fc.integer({ min: 0, max: 2 ** 32 - 2 }),
    seconds: fc.integer({ min: -(2 ** 33), max: 2 ** 36 }),
    nanoseconds: fc.integer({ min: 0, max: 999_999_999 }),
    target: name,
    body: fc.uint8Array({ maxLength: 1500 }),
    device: fc.tuple(fc.integer({ min: 0, max: 4095 }), fc.integer({ min: 0, max: 1_048_575 })),
    xattr: fc.option(
      fc.tuple(
        text.map((value) => value.replaceAll('=', '-')),
        fc.uint8Array({ minLength: 1 }),
      ),
    ),
  })
  .map(({ seconds, nanoseconds, target, body, device, xattr, ...member }): Member => {
    const isPax = member.dialect === 'pax';
    const isFile = /[07\0]/.test(member.typeflag);
    const isDevice = /[34]/.test(member.typeflag);
    return {
      ...member,
      // Python takes a NUL for a directory where the name was cut behind a slash.
      typeflag: member.path.length > 90 ? member.typeflag.replace('\0', '0') : member.typeflag,
      mtime: BigInt(seconds) * 10n ** 9n + BigInt(isPax ? nanoseconds : 0),
      ...(member.typeflag === '2' && { linkpath: target }),
      ...(isFile && { body: Buffer.from(body) }),
      ...(isDevice && { major: device[0], minor: device[1] }),
      ...(isPax && xattr && { xattrs: new Map([[`user.${xattr[0]}`, Buffer.from(xattr[1])]]) }),
    };
  });
const members = fc.uniqueArray(member, { maxLength: 8, selector: ({ path }) => path.replace(/\/+/g, '/') });

test('any window and any short read give the same entries', () => {
  const size = fc.oneof(fc.integer({ min: 512, max: 5000 }), fc.integer({ min: 512, max: 1 << 20 }));
  fc.assert(
    fc.property(members, size, fc.integer({ min: 1, max: 4000 }), (members, window, readSize) => {
      const tar = archive(members);
      assert.deepEqual(scanBytes(tar, { window, readSize }), scanBytes(tar));
    }),
    runs(300),
  );
});

test('entries at random read as Python reads them', { skip: needs('python3') }, (t) => {
  const file = join(scratch(t), 'random.tar');
  fc.assert(
    fc.property(fc.array(members, { minLength: 20, maxLength: 20 }), (groups) => {
      const tar = archive(
        groups.flatMap((members, group) =>
          members.map((member) => ({ ...member, path: `${group}/${member.path}` })),
        ),
      );
      writeFileSync(file, tar);
      assert.deepEqual(lines(rowsOf(tar)), lines(listTar(file)));
    }),
    runs(15),
  );
});

test('what the scanner takes, GNU tar and bsdtar take too', { skip: needs('tar', 'bsdtar') }, (t) => {
  const file = join(scratch(t), 'random.tar');
  const count = (program: string) => {
    const { stdout, stderr } = spawnSync(program, ['-tf', file], {
      maxBuffer: 1 << 30,
      env: { PATH: process.env.PATH, LC_ALL: 'C' },
    });
    return [stdout.toString('latin1').split('\n').length - 1, stderr.toString()] as const;
  };
  fc.assert(
    fc.property(fc.array(members, { minLength: 20, maxLength: 20 }), (groups) => {
      const all = groups
        .flat()
        .map((member, index) => ({ ...member, path: `${index}/${member.path.replaceAll('\n', '-')}` }));
      const tar = archive(all);
      writeFileSync(file, tar);
      const expected = scanBytes(tar).length;
      for (const program of ['tar', 'bsdtar'])
        assert.deepEqual(count(program)[0], expected, `${program}: ${count(program)[1]}`);
    }),
    runs(10),
  );
});
