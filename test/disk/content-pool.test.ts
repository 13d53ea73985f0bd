import assert from 'node:assert/strict';
import { closeSync, ftruncateSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ContentPool } from '../../src/disk/content/pool.js';
import { RowBuilder } from '../../src/disk/content/rows.js';
import { Meter } from '../../src/meter.js';
import { sharedUint32 } from '../../src/threads/shared.js';
import { scratch } from '../support/scratch.js';

const SIZE = 64 * 2 ** 20;

test('a thread that ends without a word is an error, and nobody waits for it', async (t) => {
  const fd = openSync(join(scratch(t), 'layer'), 'w+');
  t.after(() => closeSync(fd));
  ftruncateSync(fd, SIZE);
  const builder = new RowBuilder();
  const content = { layer: { order: 0, file: fd }, offset: 0, size: SIZE };
  builder.addFile(content, [{ logical: 0, physical: 0, count: SIZE / 4096 }]);
  const rows = builder.finish();
  const pool = new ContentPool(new AbortController().signal);
  const job = pool.start(rows, { kind: 'survey', sums: sharedUint32(rows.length) });
  const done = job.finish(new Meter({ report() {} }, 'plan', rows.bytes));
  await Promise.all([pool.close(), assert.rejects(done, /a thread ended with code [01]/)]);
});
