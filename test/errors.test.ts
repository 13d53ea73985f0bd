import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSystemError, systemError } from '../src/errors.js';

test('a package that Node does not find is no bug: it is missing, or too many files are open', async () => {
  const name = 'a-package-that-nobody-has';
  const error: unknown = await import(name).catch((cause) => cause);
  assert.ok(isSystemError(error));
  const { code, message, hint } = systemError(error);
  assert.equal(code, 'IO');
  assert.match(message, /EMFILE/);
  assert.match(hint!, /ulimit -n 4096/);
});
