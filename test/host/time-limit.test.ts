import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { withTimeLimit } from '../../src/host/time-limit.js';

const MODULE = new URL('../../src/host/time-limit.js', import.meta.url).href;

test('the time is up, also where nobody but a listener holds the signal and memory is collected', () => {
  const script = `
    import { withTimeLimit } from '${MODULE}';
    const busy = setInterval(() => gc(), 5);
    withTimeLimit(new AbortController().signal, 100).addEventListener('abort', () => {
      console.log('up');
      clearInterval(busy);
    });`;
  const args = ['--expose-gc', '--input-type=module', '-e', script];
  assert.equal(execFileSync(process.execPath, args, { encoding: 'utf8', timeout: 60_000 }), 'up\n');
});

test('what ends the other signal ends this one, before and after', () => {
  const one = new AbortController();
  const limited = withTimeLimit(one.signal, 60_000);
  assert.equal(limited.aborted, false);
  one.abort('why');
  assert.equal(limited.reason, 'why');
  assert.equal(withTimeLimit(one.signal, 60_000).reason, 'why');
});
