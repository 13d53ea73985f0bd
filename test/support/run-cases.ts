import assert from 'node:assert/strict';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import type { RunEvent } from '../../src/context.js';
import { FlattenError } from '../../src/errors.js';
import { allCases, type Case } from './case.js';
import { layerTar } from './case-layer.js';
import { ociFiles, writeFiles } from './image.js';
import { lines } from './listing.js';
import { needs } from './needs.js';
import { scratch } from './scratch.js';
import type { TestSink } from './sinks.js';

/** A test for each case, through one sink. */
export function casesThrough(sink: TestSink): void {
  suite(`cases: ${sink.name}`, () => {
    for (const one of allCases()) {
      if (sink.beyond?.[one.name] !== undefined) continue;
      const skip = needs(...sink.needs, ...packers(one));
      test(`${one.name}: ${one.title}`, { skip }, async (t) => {
        await run(one, sink, scratch(t));
      });
    }
  });
}

/** Programs that a case's layers are packed with. */
function packers({ layers }: Case): string[] {
  return layers.map(({ packing }) => packing.compression).filter((name) => !/none|gzip/.test(name));
}

async function run(one: Case, sink: TestSink, directory: string): Promise<void> {
  const layers = one.layers.map((layer) => ({ tar: layerTar(layer), ...layer.packing }));
  const [image, output] = [join(directory, 'image'), join(directory, 'output')];
  for (const path of [image, output]) mkdirSync(path);
  writeFiles(image, ociFiles(layers));
  const warnings: string[] = [];
  const onEvent = (event: RunEvent) => {
    if (event.type === 'warning') warnings.push(event.message);
  };
  const keepDirlinks = one.options.includes('keep-dirlinks');
  const listing = sink.list(image, output, { keepDirlinks, onEvent });
  if (one.error !== undefined) {
    await assert.rejects(listing, (error) => isExpected(error, one.error!));
    assert.deepEqual(readdirSync(output), [], 'nothing half-made stays behind');
    return;
  }
  const listed = await listing;
  assert.deepEqual(
    lines(sink.shows ? listed.map(sink.shows) : listed),
    lines(sink.holds ? one.tree!.map(sink.holds) : one.tree!),
  );
  assert.ok(readdirSync(output).length <= 1, 'nothing but the output is left');
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
