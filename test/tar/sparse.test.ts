import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { FlattenError } from '../../src/errors.js';
import { checkedRuns } from '../../src/tar/sparse.js';
import { contentOf, scanBytes } from '../support/scan-bytes.js';
import { runs } from '../support/stacks.js';
import { archive, END, headerBlock, type Member, numeric, type SparseForm } from '../support/tar.js';

const FORMS: readonly SparseForm[] = ['old-gnu', 'pax-0.0', 'pax-0.1', 'pax-1.0'];

/** Runs in rising order, apart from each other, and the size of the file. */
const map = fc
  .tuple(
    fc.array(fc.tuple(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 1, max: 600 })), {
      maxLength: 60,
    }),
    fc.nat(5000),
  )
  .map(([gaps, tail]) => {
    let end = 0;
    const runs = gaps.map(([gap, length]) => {
      const start = end + gap;
      end = start + length;
      return [start, length] as const;
    });
    return { runs, realSize: end + tail };
  });

function refused(members: readonly Member[], code: FlattenError['code'], pattern: RegExp): void {
  assert.throws(
    () => scanBytes(archive(members)),
    (error) => {
      assert.ok(error instanceof FlattenError, String((error as Error).stack));
      assert.equal(error.code, code, error.message);
      assert.match(error.message, pattern);
      return true;
    },
  );
}

suite('any map, in every form', () => {
  for (const form of FORMS) {
    test(form, () => {
      fc.assert(
        fc.property(map, fc.integer({ min: 512, max: 5000 }), ({ runs, realSize }, window) => {
          const body = Buffer.concat(runs.map(([start, length]) => Buffer.alloc(length, String(start))));
          const expected = Buffer.alloc(realSize);
          let stored = 0;
          for (const [start, length] of runs) {
            body.copy(expected, start, stored, stored + length);
            stored += length;
          }
          const after = { path: 'after', body: Buffer.from('1') };
          const tar = archive([{ path: 'sparse', sparse: { form, realSize, runs }, body }, after]);
          const [sparse, next, ...rest] = scanBytes(tar, { window });
          assert.equal(sparse!.path, 'sparse');
          assert.deepEqual(
            sparse!.segments,
            runs.map(([start, length]) => ({ start, length })),
          );
          assert.ok(contentOf(tar, sparse!).equals(expected));
          assert.equal(contentOf(tar, next!).toString(), '1');
          assert.equal(rest.length, 0);
        }),
        runs(100),
      );
    });
  }
});

suite('maps that lie', () => {
  const body = Buffer.alloc(100, 'x');
  const wrong: Readonly<Record<string, readonly [(readonly [number, number])[], number]>> = {
    'runs that overlap': [
      [
        [0, 50],
        [49, 50],
      ],
      1000,
    ],
    'runs out of order': [
      [
        [500, 50],
        [0, 50],
      ],
      1000,
    ],
    'a run behind the end': [[[950, 100]], 1000],
    'fewer bytes than are stored': [[[0, 50]], 1000],
    'more bytes than are stored': [[[0, 101]], 1000],
    'runs and no size': [[[0, 100]], 0],
  };
  for (const form of FORMS) {
    for (const [name, [runs, realSize]] of Object.entries(wrong)) {
      test(`${form}: ${name}`, () =>
        refused([{ path: 's', sparse: { form, realSize, runs }, body }], 'BAD_LAYER', /^s: sparse map/));
    }
  }

  test('old GNU: negative offsets, lengths and sizes', () => {
    const table = (...numbers: number[]) =>
      Buffer.from(numbers.map((number) => numeric(number, 12)).join(''), 'latin1');
    const old = (size: number, ...numbers: number[]) =>
      Buffer.concat([
        headerBlock({
          name: 's',
          typeflag: 'S',
          size: 0,
          magic: 'ustar  \0',
          patches: [
            [386, table(...numbers)],
            [483, table(size)],
          ],
        }),
        END,
      ]);
    // Such a map covers nothing in sum, and yet would read the bytes behind the archive.
    for (const tar of [old(1000, 100, -50, 50, 50), old(1000, -50, 0), old(-512), old(-512, -512, 0)]) {
      assert.throws(() => scanBytes(tar), { code: 'BAD_LAYER' });
    }
    assert.equal(scanBytes(old(1000))[0]!.size, 1000);
  });

  test('old GNU: a map that never ends', () => {
    const block = Buffer.alloc(512);
    block[504] = 1;
    const header = headerBlock({
      name: 's',
      typeflag: 'S',
      size: 0,
      magic: 'ustar  \0',
      patches: [[482, Buffer.from([1])]],
    });
    assert.throws(() => scanBytes(Buffer.concat([header, block, block])), /sparse map is cut short/);
    assert.throws(() => scanBytes(Buffer.concat([header, ...Array(3000).fill(block)])), { code: 'LIMIT' });
  });

  const records = (...records: [string, string][]): Member => ({ path: 's', body, records });
  test('PAX: maps that are none', () => {
    const map = (value: string) => records(['GNU.sparse.size', '1000'], ['GNU.sparse.map', value]);
    refused([map('0,100,200')], 'BAD_LAYER', /offset without a length/);
    refused([map('0,-100')], 'BAD_LAYER', /no number/);
    refused([map('0,')], 'BAD_LAYER', /no number/);
    refused([map('0;100')], 'BAD_LAYER', /no number/);
    refused([map(`0,${'9'.repeat(16)}`)], 'BAD_LAYER', /too large/);
    refused([records(['GNU.sparse.map', '0,100'])], 'BAD_LAYER', /without its size/);
    refused([records(['GNU.sparse.numblocks', '1'])], 'BAD_LAYER', /without its size/);
    refused([records(['GNU.sparse.major', '2'], ['GNU.sparse.minor', '0'])], 'BAD_LAYER', /version 2.0/);
    refused(
      [records(['GNU.sparse.size', '1000'], ['GNU.sparse.numblocks', '1'], ['GNU.sparse.offset', '0'])],
      'BAD_LAYER',
      /without a length/,
    );
  });

  test('PAX 1.0: maps in the body that are none', () => {
    const version: [string, string][] = [
      ['GNU.sparse.major', '1'],
      ['GNU.sparse.minor', '0'],
      ['GNU.sparse.realsize', '1000'],
    ];
    const inBody = (text: string): Member => ({ path: 's', body: Buffer.from(text), records: version });
    refused([inBody('')], 'BAD_LAYER', /cut short/);
    refused([inBody('1\n0\n')], 'BAD_LAYER', /cut short/);
    refused([inBody('1\n0\nx\n')], 'BAD_LAYER', /no number/);
    refused([inBody('\n\n\n')], 'BAD_LAYER', /no number/);
    refused([inBody('999999999999999\n1\n1\n'.padEnd(512, '\0'))], 'BAD_LAYER', /no number/);
    refused([inBody('1'.padEnd(5000, '1'))], 'BAD_LAYER', /too large/);
    refused([inBody(`999999999\n${'0\n'.repeat(3 << 20)}`)], 'LIMIT', /longer than/);
  });

  test('a file of 8 EiB less a byte is refused as a number, one of 8 PiB by its map', () => {
    refused(
      [records(['GNU.sparse.size', String(2n ** 63n - 1n)], ['GNU.sparse.map', '0,100'])],
      'BAD_LAYER',
      /no number/,
    );
    const [huge] = scanBytes(
      archive([records(['GNU.sparse.size', String(2 ** 52)], ['GNU.sparse.map', '0,100'])]),
    );
    assert.equal(huge!.size, 2 ** 52);
  });
});

test('one run over the whole file is no sparse file', () => {
  for (const form of FORMS) {
    const [entry] = scanBytes(
      archive([{ path: 's', sparse: { form, realSize: 3, runs: [[0, 3]] }, body: Buffer.from('abc') }]),
    );
    assert.equal(entry!.segments, undefined);
    assert.equal(entry!.size, 3);
  }
});

test('empty runs are dropped', () => {
  const map = {
    size: 10,
    runs: [
      { start: 0, length: 0 },
      { start: 2, length: 3 },
      { start: 10, length: 0 },
    ],
    mapBytes: 0,
  };
  assert.deepEqual(checkedRuns(map, 3), [{ start: 2, length: 3 }]);
});
