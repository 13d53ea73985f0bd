import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Losses } from '../../src/losses.js';
import { Setuid } from '../../src/sinks/directory/setuid.js';

for (const [name, mode, found, expected] of [
  ['both are as in the image', 0o6755, { uid: 5, gid: 6 }, 0o6755],
  ['another user', 0o6755, { uid: 0, gid: 6 }, 0o2755],
  ['another group', 0o6755, { uid: 5, gid: 0 }, 0o4755],
  ['both are others', 0o7711, { uid: 0, gid: 0 }, 0o1711],
  ['another user, who is not asked for', 0o2755, { uid: 0, gid: 6 }, 0o2755],
] as const) {
  test(`a file with setuid and its owner here: ${name}`, () => {
    const losses = new Losses({ strict: false });
    const wanted = { uid: 5, gid: 6 };
    assert.equal(
      new Setuid(false, losses).modeOf(
        mode,
        wanted,
        () => found,
        () => 'usr/bin/su',
      ),
      expected,
    );
    assert.deepEqual(
      losses.list().map(({ kind, example }) => [kind, example]),
      mode === expected ? [] : [['setuid', 'usr/bin/su']],
    );
    assert.equal(
      new Setuid(true, losses).modeOf(
        mode,
        wanted,
        () => found,
        () => '',
      ),
      mode,
    );
  });
}

test('with --strict it is an error', () => {
  const setuid = new Setuid(false, new Losses({ strict: true }));
  const run = () =>
    setuid.modeOf(
      0o4755,
      { uid: 0, gid: 0 },
      () => ({ uid: 1, gid: 0 }),
      () => 'su',
    );
  assert.throws(run, { code: 'LOSS', message: /^su: the output cannot hold its setuid: / });
});
