import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { treeLines } from '../support/engine.js';
import { scratch } from '../support/scratch.js';
import { runs, tidyStack } from '../support/stacks.js';
import { archive, type Member } from '../support/tar.js';

const tars = (stack: readonly (readonly Member[])[]) => stack.map((members) => archive(members));

function isMarker({ path }: Member): boolean {
  return /(^|\/)\.wh\.[^/]*$/.test(path);
}

test('the order of markers within a layer does not matter', (t) => {
  const directory = scratch(t);
  fc.assert(
    fc.property(tidyStack, (stack) => {
      const split = stack.map((members) => {
        const markers = members.filter(isMarker);
        return { markers, others: members.filter((member) => !isMarker(member)) };
      });
      const first = split.map(({ markers, others }) => [...markers, ...others]);
      const last = split.map(({ markers, others }) => [...others, ...markers.reverse()]);
      const expected = treeLines(tars(stack), directory);
      assert.deepEqual(treeLines(tars(first), directory), expected);
      assert.deepEqual(treeLines(tars(last), directory), expected);
    }),
    runs(500),
  );
});

test('any window and any short read give the same tree', (t) => {
  const directory = scratch(t);
  const sizes = fc.constantFrom(1, 7, 511, 512, 513, 1024, 4096, 100_000);
  fc.assert(
    fc.property(tidyStack, sizes, sizes, (stack, window, readSize) => {
      const layers = tars(stack);
      const expected = treeLines(layers, directory);
      assert.deepEqual(treeLines(layers, directory, { window, readSize }), expected);
    }),
    runs(300),
  );
});
