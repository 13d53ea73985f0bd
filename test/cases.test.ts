import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import type { Event } from '../src/context.js';
import { FlattenError } from '../src/errors.js';
import { allCases, type Case } from './support/case.js';
import { layerTar } from './support/case-layer.js';
import { ociFiles, writeFiles } from './support/image.js';
import { lines } from './support/listing.js';
import { needs } from './support/needs.js';
import { scratch } from './support/scratch.js';
import { SINKS, type TestSink } from './support/sinks.js';

/** Programs that a case's layers are packed with. */
function packers({ layers }: Case): string[] {
  return layers.map(({ packing }) => packing.compression).filter((name) => !/none|gzip/.test(name));
}

for (const sink of SINKS) {
  suite(`cases: ${sink.name}`, () => {
    for (const one of allCases()) {
      const skip = needs(...sink.needs, ...packers(one));
      test(`${one.name}: ${one.title}`, { skip }, async (t) => {
        await run(one, sink, scratch(t));
      });
    }
  });
}

async function run(one: Case, sink: TestSink, directory: string): Promise<void> {
  const layers = one.layers.map((layer) => ({ tar: layerTar(layer), ...layer.packing }));
  const image = join(directory, 'image');
  mkdirSync(image);
  writeFiles(image, ociFiles(layers));
  const warnings: string[] = [];
  const onEvent = (event: Event) => {
    if (event.type === 'warning') warnings.push(event.message);
  };
  const keepDirlinks = one.options.includes('keep-dirlinks');
  const listing = sink.list(image, directory, { keepDirlinks, onEvent });
  if (one.error !== undefined) {
    await assert.rejects(listing, (error) => isExpected(error, one.error!));
    return;
  }
  assert.deepEqual(lines(await listing), lines(one.tree!));
  checkWarnings(warnings, one.warnings);
}

function isExpected(error: unknown, { code, pieces }: NonNullable<Case['error']>): boolean {
  assert.ok(error instanceof FlattenError, String((error as Error).stack));
  assert.equal(error.code, code, error.message);
  for (const piece of pieces) assert.ok(error.message.includes(piece), `${error.message}: no ${piece} in it`);
  return true;
}

function checkWarnings(given: readonly string[], expected: Case['warnings']): void {
  assert.equal(given.length, expected.length, `warnings: ${given.join('; ')}`);
  for (const pieces of expected) {
    const isGiven = given.some((message) => pieces.every((piece) => message.includes(piece)));
    assert.ok(isGiven, `${pieces.join(' … ')} is not among: ${given.join('; ')}`);
  }
}
