import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FlattenError } from '../../src/errors.js';
import { treeLines } from '../support/engine.js';
import { lines } from '../support/listing.js';
import { model, Refused } from '../support/model.js';
import { scratch } from '../support/scratch.js';
import { runs, type Stack, tidyStack, wildStack } from '../support/stacks.js';
import { archive } from '../support/tar.js';

/** The model's listing, or that it refuses. */
function judged(stack: Stack): string[] | 'refused' {
  try {
    return lines(model(stack));
  } catch (error) {
    if (error instanceof Refused) return 'refused';
    throw error;
  }
}

function flattened(stack: Stack, directory: string): string[] | 'refused' {
  try {
    return treeLines(
      stack.map((members) => archive(members)),
      directory,
    );
  } catch (error) {
    if (error instanceof FlattenError && error.code === 'BAD_LAYER') return 'refused';
    throw error;
  }
}

for (const [kind, stacks, number] of [
  ['tidy', tidyStack, 1000],
  ['wild', wildStack, 4000],
] as const) {
  test(`${kind} stacks give the tree that a plain model of overlayfs gives`, (t) => {
    const directory = scratch(t);
    const agree = (stack: Stack) => assert.deepEqual(flattened(stack, directory), judged(stack));
    fc.assert(fc.property(stacks, agree), runs(number));
  });
}
