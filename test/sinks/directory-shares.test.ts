import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { share, takeChunk } from '../../src/sinks/directory/shares.js';

test('every row is dealt out once, whoever asks in whatever order', () => {
  const costs = fc.array(fc.integer({ min: 1, max: 1000 }), { maxLength: 300 });
  const askers = fc.infiniteStream(fc.nat());
  fc.assert(
    fc.property(
      costs,
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 3000 }),
      askers,
      (cost, threads, least, who) => {
        const shares = share(cost.length, (row) => cost[row]!, least, threads);
        const seen = new Array<number>(cost.length).fill(0);
        for (const asker of who) {
          const chunk = takeChunk(shares, asker % threads);
          if (chunk < 0) break;
          for (let row = shares.starts[chunk]!; row < shares.starts[chunk + 1]!; row++) seen[row]!++;
        }
        for (let thread = 0; thread < threads; thread++) assert.equal(takeChunk(shares, thread), -1);
        assert.ok(seen.every((times) => times === 1));
      },
    ),
  );
});

test('a thread that is alone takes its own run in order, then the ends of the others', () => {
  const shares = share(8, () => 1, 1, 2);
  const taken = Array.from({ length: 9 }, () => takeChunk(shares, 0));
  assert.deepEqual(taken, [0, 1, 2, 3, 7, 6, 5, 4, -1]);
});

test('a million rows stay within the number of chunks that there can be', () => {
  const { starts } = share(1_000_000, () => 50_000, 1, 3);
  assert.ok(starts.length <= 0x8001);
  assert.equal(starts.at(-1), 1_000_000);
});
