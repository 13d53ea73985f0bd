import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clampTimes } from '../../src/rootfs/clamp.js';
import { directory, type Node } from '../../src/rootfs/node.js';

test('later times are clamped, earlier ones kept, shared metadata not spoilt', () => {
  const meta = { ...directory().meta, mtime: 2000n };
  const outside = { ...directory(), meta };
  const late: Node = { kind: 'fifo', meta, nlink: 0 };
  const early: Node = { kind: 'fifo', meta: { ...meta, mtime: -5n }, nlink: 0 };
  const root = {
    ...directory(meta),
    children: new Map<string, Node>([
      ['late', late],
      ['early', early],
      ['again', late],
    ]),
  };
  clampTimes(root, 1000n);
  assert.deepEqual(
    [root, late, early, outside].map((node) => node.meta.mtime),
    [1000n, 1000n, -5n, 2000n],
  );
  clampTimes(root, 1000n);
  assert.equal(late.meta.mtime, 1000n);
});
