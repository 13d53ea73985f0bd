import assert from 'node:assert/strict';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ContentReader } from '../../src/layer/content.js';
import type { Content } from '../../src/rootfs/node.js';
import { scratch } from '../support/scratch.js';

test('holes read as zeros, in any order and any pieces', (t) => {
  const file = join(scratch(t), 'layer');
  writeFileSync(file, '..ABCDEFGH..');
  const fd = openSync(file, 'r');
  t.after(() => closeSync(fd));
  const segments = [
    { start: 2, length: 3 },
    { start: 7, length: 1 },
    { start: 8, length: 4 },
  ];
  const content: Content = { layer: { order: 0, file: fd }, offset: 2, size: 15, segments };
  const whole = '\0\0ABC\0\0DEFGH\0\0\0';
  const reader = new ContentReader();
  const pieces: [number, number][] = [];
  for (let start = 0; start <= 15; start++) for (let end = start; end <= 15; end++) pieces.push([start, end]);
  for (const [start, end] of [...pieces, ...pieces.reverse()]) {
    const target = Buffer.alloc(end - start, 0xff);
    reader.read(content, start, target);
    assert.equal(target.toString('latin1'), whole.slice(start, end), `${start} to ${end}`);
  }
  reader.close();
});

test('a map of many segments is gone through once, not once a piece', (t) => {
  const file = join(scratch(t), 'layer');
  writeFileSync(file, Buffer.alloc(40_000, 1));
  const fd = openSync(file, 'r');
  t.after(() => closeSync(fd));
  let looks = 0;
  const segments = new Proxy(
    Array.from({ length: 40_000 }, (_, index) => ({ start: index * 2, length: 1 })),
    {
      get(target, key, receiver) {
        if (typeof key === 'string' && /^\d+$/.test(key)) looks++;
        return Reflect.get(target, key, receiver);
      },
    },
  );
  const content: Content = { layer: { order: 0, file: fd }, offset: 0, size: 80_000, segments };
  const reader = new ContentReader();
  const target = Buffer.alloc(8);
  for (let start = 0; start < content.size; start += target.length) reader.read(content, start, target);
  reader.close();
  assert.ok(looks < 200_000, `${looks} looks at 40,000 segments`);
});
