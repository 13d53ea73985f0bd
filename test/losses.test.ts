import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FlattenError } from '../src/errors.js';
import { Losses } from '../src/losses.js';

test('losses are counted by kind; the example is the first path in byte order', () => {
  const losses = new Losses({ strict: false });
  losses.add('xattr', 'b', 'why b');
  losses.add('owner', '', 'why the root');
  losses.merge([{ kind: 'xattr', count: 5, example: 'a', reason: 'why a' }]);
  losses.add('xattr', 'c', 'why c');
  assert.deepEqual(losses.list(), [
    { kind: 'owner', count: 1, example: '.', reason: 'why the root' },
    { kind: 'xattr', count: 7, example: 'a', reason: 'why a' },
  ]);
});

test('strict: the first loss is an error that names path, kind and reason', () => {
  const losses = new Losses({ strict: true });
  losses.merge([]);
  assert.throws(
    () => losses.add('device', 'dev/null', 'needs root'),
    (error) =>
      error instanceof FlattenError &&
      error.code === 'LOSS' &&
      /^dev\/null: .*device: needs root$/.test(error.message),
  );
});
