const BLOCK = 128 * 1024;

/**
 * A zstd frame of `head` and then `count` blocks of 128 KiB of one byte, each stored in four (RFC 8878 3.1.1.2): the
 * smallest way to say very much. The window is of 2 to the power of `window` bytes.
 */
export function zstdFrame(head: Buffer, count: number, byte = 0x41, window = 17): Buffer {
  const start = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, (window - 10) << 3]);
  const blocks = Array<Buffer>(count - 1).fill(block(BLOCK, 1, 0, Buffer.of(byte)));
  return Buffer.concat([
    start,
    block(head.length, 0, 0, head),
    ...blocks,
    block(BLOCK, 1, 1, Buffer.of(byte)),
  ]);
}

function block(size: number, type: 0 | 1, isLast: 0 | 1, body: Buffer): Buffer {
  const header = Buffer.alloc(3);
  header.writeUIntLE(size * 8 + type * 2 + isLast, 0, 3);
  return Buffer.concat([header, body]);
}
