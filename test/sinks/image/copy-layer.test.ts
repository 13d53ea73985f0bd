import assert from 'node:assert/strict';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Layer } from '../../../src/layer/layer.js';
import { copyLayer } from '../../../src/sinks/image/layer.js';
import { session } from '../../sources/opening.js';
import { sha256 } from '../../support/listing.js';
import { scratch } from '../../support/scratch.js';

/** There may be a thousand layers, and what is taken for each stays until the garbage is collected. */
test('the copy of a small layer takes little memory, that of a large one a piece of it', async (t) => {
  for (const [size, most] of [
    [1536, 1536],
    [5_000_000, 1 << 20],
  ] as const) {
    const file = join(scratch(t), 'layer');
    const content = Buffer.alloc(size, 'x');
    writeFileSync(file, content);
    const fd = openSync(file, 'r');
    t.after(() => closeSync(fd));
    const layer = { name: 'layer', stored: { fd, offset: 0, length: size } } as Layer;
    const copied: Buffer[] = [];
    const put = async (bytes: Uint8Array) => {
      assert.ok(bytes.buffer.byteLength <= most, `${bytes.buffer.byteLength} bytes`);
      copied.push(Buffer.from(bytes));
    };
    const { digest, diffID } = await copyLayer(layer, put, session(t));
    assert.deepEqual([digest, diffID], Array(2).fill(`sha256:${sha256(content)}`));
    assert.ok(Buffer.concat(copied).equals(content));
  }
});
