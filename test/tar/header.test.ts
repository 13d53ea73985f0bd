import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { checksums, numberAt, parseHeader, text } from '../../src/tar/header.js';
import { runs } from '../support/stacks.js';
import { headerBlock, numeric } from '../support/tar.js';

function parsed(block: Buffer) {
  const words = new Int32Array(block.length / 4);
  const bytes = Buffer.from(words.buffer);
  block.copy(bytes);
  return parseHeader(bytes, words, 0);
}

const bytes = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((array) => Buffer.from(array));

/** The sums of the standard's words: the field's own bytes count as spaces. */
function plainSums(block: Buffer): [number, number] {
  const blank = Buffer.from(block).fill(0x20, 148, 156);
  return [
    blank.reduce((sum, byte) => sum + byte, 0),
    blank.reduce((sum, byte) => sum + (byte > 127 ? byte - 256 : byte), 0),
  ];
}

test('both sums of any block', () => {
  fc.assert(
    fc.property(bytes(512), (block) => assert.deepEqual(checksums(block), plainSums(block))),
    runs(200),
  );
  assert.deepEqual(checksums(Buffer.alloc(512, 0xff)), plainSums(Buffer.alloc(512, 0xff)));
});

test('a block with any bytes is taken with either sum, and with no other', () => {
  fc.assert(
    fc.property(
      bytes(100),
      bytes(100),
      fc.constantFrom(undefined, 'signed', 'wrong'),
      (name, linkname, checksum) => {
        const block = headerBlock({
          name: name.toString('latin1'),
          linkname: linkname.toString('latin1'),
          checksum,
        });
        if (checksum === 'wrong') assert.throws(() => parsed(block), /checksum/);
        else assert.equal(parsed(block).name, name.toString('latin1').split('\0')[0]);
      },
    ),
    runs(300),
  );
});

test('a flipped bit is found', () => {
  const block = headerBlock({ name: 'some/name', size: 1234, mtime: 1_700_000_000 });
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 511 }), fc.integer({ min: 0, max: 7 }), (at, bit) => {
      fc.pre(at < 148 || at >= 156);
      const flipped = Buffer.from(block);
      flipped[at]! ^= 1 << bit;
      assert.throws(() => parsed(flipped), { code: 'BAD_LAYER' });
    }),
    runs(500),
  );
});

test('numbers in every width, octal or base-256, read as they were written', () => {
  const widths = fc.constantFrom(8, 12);
  fc.assert(
    fc.property(widths, fc.maxSafeInteger(), (width, value) => {
      const field = Buffer.from(numeric(value, width), 'latin1');
      const fits = width === 12 || (value >= -(2 ** 62) && value < 2 ** 62);
      if (fits) assert.equal(numberAt(field, 0, width, 'size'), value);
    }),
    runs(500),
  );
  for (const octal of ['755', ' 755', '0000755\0', '   755 \0', '755 \0xyz', '\0 755\0\0\0']) {
    assert.equal(numberAt(Buffer.from(octal.padEnd(12, '\0'), 'latin1'), 0, 12, 'mode'), 0o755);
  }
  for (const wrong of ['8', '7x', '-7', '+7', '7.5', '0x7', '7 7']) {
    assert.throws(() => numberAt(Buffer.from(wrong.padEnd(12, '\0')), 0, 12, 'mode'), /mode is no number/);
  }
});

test('text ends at its NUL or its length', () => {
  const field = Buffer.from('abc\0def');
  assert.equal(text(field, 0, 7), 'abc');
  assert.equal(text(field, 0, 2), 'ab');
  assert.equal(text(field, 4, 3), 'def');
  assert.equal(text(field, 3, 4), '');
});
