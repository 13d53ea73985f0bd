import assert from 'node:assert/strict';
import { test } from 'node:test';
import { showCounts, totalOf } from '../../src/rootfs/difference-counts.js';

test('counts of differences are told in sentences', () => {
  const counts = { mode: 1204, missing: 3, added: 1, xattr: 1, links: 2 };
  assert.equal(
    showCounts(counts),
    '1,204 differ in mode, 3 are missing, 1 is not expected, 1 differs in xattrs, 2 differ in hard links',
  );
  assert.equal(totalOf(counts), 1211);
  assert.equal(showCounts({}), '');
  assert.equal(totalOf({}), 0);
});
