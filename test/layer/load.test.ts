import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import type { RunEvent } from '../../src/context.js';
import type { Layer, OpenLayer } from '../../src/layer/layer.js';
import { openLayers } from '../../src/layer/load.js';
import { tarLayer } from '../../src/layer/tar-layer.js';
import { compress } from '../support/compress.js';
import { archive } from '../support/tar.js';
import { blobOf, contextFor, leftovers, liveThreads, someBytes } from './blob.js';

type Compression = 'none' | 'gzip';

/** Layers of one file each, named by number; sizes differ so that later ones are ready first. */
function layersOf(t: TestContext, compressions: readonly Compression[]): Layer[] {
  return compressions.map((compression, at) => {
    const body = someBytes((compressions.length - at) * 300_000);
    const bytes = archive([{ path: String(at), body }]);
    const diffID = `sha256:${createHash('sha256').update(bytes).digest('hex')}` as const;
    const blob = blobOf(t, compress(bytes, { compression }));
    return tarLayer({ name: `layer ${at + 1}`, blob, diffID });
  });
}

const MANY: Compression[] = ['gzip', 'none', 'gzip', 'gzip', 'none', 'gzip', 'gzip', 'gzip'];

test('yields layers in order and reports each to its end', async (t) => {
  const events: RunEvent[] = [];
  const context = contextFor(t, { report: (event) => events.push(event) });
  const layers = layersOf(t, MANY);
  const open: OpenLayer[] = [];
  const seen: string[] = [];
  const orders: number[] = [];
  for await (const layer of openLayers(layers, context)) {
    open.push(layer);
    for (const { entry, file } of layer.entries()) {
      seen.push(entry.path);
      orders.push(file.order);
    }
  }
  assert.deepEqual(
    seen,
    MANY.map((_, at) => String(at)),
  );
  assert.deepEqual(
    orders,
    MANY.map((_, at) => at),
  );
  await Promise.all(open.map((layer) => layer.verified));
  for (const layer of open) layer.close();
  assert.deepEqual(leftovers(context), []);
  const total = layers.reduce((sum, { size }) => sum + size, 0);
  assert.deepEqual(events[0], { type: 'progress', phase: 'load', done: 0, total });
  assert.deepEqual(events.at(-1), { type: 'progress', phase: 'load', done: total, total });
});

test('no layers are no layers', async (t) => {
  for await (const layer of openLayers([], contextFor(t))) assert.fail(String(layer));
});

const broken = (t: TestContext) =>
  tarLayer({
    name: 'broken',
    blob: blobOf(t, compress(someBytes(9), { compression: 'gzip' }).subarray(0, -3)),
  });

test('when one fails, all are closed', async (t) => {
  const context = contextFor(t);
  const layers = [...layersOf(t, ['gzip', 'none']), broken(t), ...layersOf(t, MANY)];
  const seen: number[] = [];
  await assert.rejects(
    async () => {
      for await (const { size } of openLayers(layers, context)) seen.push(size);
    },
    { code: 'BAD_LAYER', layer: 'broken' },
  );
  assert.equal(seen.length, 2);
  assert.deepEqual(leftovers(context), []);
  assert.equal(liveThreads(), 0);
});

test('when the caller stops early, all are closed', async (t) => {
  const context = contextFor(t);
  for await (const _ of openLayers(layersOf(t, MANY), context)) break;
  assert.deepEqual(leftovers(context), []);
});

test('an abort ends it', async (t) => {
  const stop = new AbortController();
  const context = contextFor(t, { signal: stop.signal });
  await assert.rejects(
    async () => {
      for await (const _ of openLayers(layersOf(t, MANY), context)) stop.abort();
    },
    { code: 'INTERRUPTED' },
  );
  assert.deepEqual(leftovers(context), []);
});

test('the limit is one for all layers together', async (t) => {
  for (const compression of ['none', 'gzip'] as const) {
    const limits = { maxSize: 1_000_000, maxEntries: 10 };
    const context = contextFor(t, { limits });
    const layers = layersOf(t, [compression, compression]); // 600 and 300 kB
    for await (const layer of openLayers(layers, context)) layer.close();
    const open = async () => {
      for await (const _ of openLayers([...layers, ...layersOf(t, [compression])], context));
    };
    await assert.rejects(open, { code: 'LIMIT' });
    assert.deepEqual(leftovers(context), []);
  }
});

test('layers that come from elsewhere may ignore what is shared', async (t) => {
  const open: OpenLayer = { entries: () => [], size: 0, verified: Promise.resolve(), close: () => {} };
  const layer: Layer = { name: 'directory', size: 0, open: async () => open };
  const seen = [];
  for await (const one of openLayers([layer], contextFor(t))) seen.push(one);
  assert.deepEqual(seen, [open]);
});
