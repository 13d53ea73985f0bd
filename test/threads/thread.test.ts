import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { FlattenError } from '../../src/errors.js';
import { Thread } from '../../src/threads/thread.js';
import type { Ask } from './thread-script.js';

function thread(t: TestContext): Thread<Ask, ArrayBuffer, string> {
  const made = new Thread<Ask, ArrayBuffer, string>(new URL('./thread-script.js', import.meta.url));
  t.after(() => made.terminate());
  return made;
}

const echo = (length: number, after = 0) =>
  ({ kind: 'echo', after, bytes: new ArrayBuffer(length) }) as const satisfies Ask;

test('answers come in the order of the questions, also when the first takes longer', async (t) => {
  const asked = thread(t);
  const order: number[] = [];
  const answers = [50, 0, 10].map((after, i) =>
    asked.ask(echo(i + 1, after)).then((bytes) => order.push(bytes.byteLength)),
  );
  await Promise.all(answers);
  assert.deepEqual(order, [1, 2, 3]);
});

test('buffers are handed over, both ways', async (t) => {
  const ask = echo(5);
  const answer = thread(t).ask(ask, { transfer: [ask.bytes] });
  assert.equal(ask.bytes.byteLength, 0, 'it is gone here');
  assert.equal((await answer).byteLength, 5);
});

test('news come before the answer, to who has asked', async (t) => {
  const asked = thread(t);
  const heard: string[] = [];
  const told = (name: string) => ({ onNews: (news: string) => void heard.push(`${name} ${news}`) });
  const answered = (name: string) => () => void heard.push(`${name} answered`);
  await Promise.all([
    asked.ask(echo(1, 9), told('a')).then(answered('a')),
    asked.ask(echo(1), told('b')).then(answered('b')),
  ]);
  assert.deepEqual(heard, ['a begun', 'a answered', 'b begun', 'b answered']);
});

test('an error comes as it was thrown, and the thread goes on', async (t) => {
  const asked = thread(t);
  await assert.rejects(asked.ask({ kind: 'fail' }), (error: unknown) => {
    assert.ok(error instanceof FlattenError);
    const { code, what, layer, path, hint, cause } = error;
    assert.deepEqual([code, what, layer, path, hint], ['LIMIT', 'too much', 'layer 1', 'a/b', 'less']);
    assert.ok(cause instanceof RangeError && cause.message === 'why');
    return true;
  });
  assert.equal((await asked.ask(echo(3))).byteLength, 3);
});

for (const kind of ['break', 'exit'] as const) {
  test(`a thread that ends by ${kind} fails all that waits, and all that comes`, async (t) => {
    const asked = thread(t);
    const message = kind === 'break' ? /a bug/ : /a thread ended with code 7/;
    const waiting = [asked.ask(echo(1)), asked.ask({ kind }), asked.ask(echo(2))];
    const [first, second, third] = await Promise.allSettled(waiting);
    assert.equal(first!.status, 'fulfilled');
    for (const outcome of [second!, third!]) {
      assert.equal(outcome.status, 'rejected');
      assert.match(String(outcome.reason), message);
    }
    await assert.rejects(asked.ask(echo(1)), message);
  });
}

test('asked to end, a thread does first what it was asked for', async (t) => {
  const asked = thread(t);
  const answer = asked.ask(echo(4, 20));
  await asked.end();
  assert.equal((await answer).byteLength, 4);
  await assert.rejects(asked.ask(echo(1)), /a thread ended/);
});

test('a thread that is terminated answers nothing more', async (t) => {
  const asked = thread(t);
  const failing = assert.rejects(asked.ask(echo(1, Number.POSITIVE_INFINITY)), /a thread ended/);
  await asked.terminate();
  await failing;
});
