import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { flatten } from '../src/flatten.js';
import { ociFiles, writeFiles } from './support/image.js';
import { needs } from './support/needs.js';
import { scratch } from './support/scratch.js';
import { runs, type Stack, tidyStack } from './support/stacks.js';
import { archive } from './support/tar.js';

test('flattening a flat tar gives the same bytes', async (t) => {
  await sameBytesThrough('flat.tar', scratch(t), 100);
});

test('flattening a directory gives the same bytes', { skip: needs('root') }, async (t) => {
  await sameBytesThrough('directory/', scratch(t), 50);
});

/** Image to flat tar; image to `first`, and that to a flat tar: the two tars are one. */
async function sameBytesThrough(first: string, directory: string, number: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(tidyStack, async (stack) => {
      const work = mkdtempSync(join(directory, 'run-'));
      const input = imageOf(stack, work);
      const [once, twice, middle] = ['once.tar', 'twice.tar', first].map((name) => join(work, name));
      await flatten({ input, output: once! });
      await flatten({ input, output: middle! });
      await flatten({ input: middle!, output: twice! });
      assert.ok(readFileSync(once!).equals(readFileSync(twice!)), `${once} and ${twice} differ`);
      rmSync(work, { recursive: true });
    }),
    { ...runs(number), endOnFailure: true },
  );
}

function imageOf(stack: Stack, directory: string): string {
  const image = join(directory, 'image');
  mkdirSync(image);
  writeFiles(image, ociFiles(stack.map((members) => ({ tar: archive(members) }))));
  return image;
}
