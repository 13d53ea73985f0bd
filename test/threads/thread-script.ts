import { FlattenError } from '../../src/errors.js';
import { serve } from '../../src/threads/serve.js';

/** What the thread of `thread.test.ts` can be asked for. */
export type Ask =
  | { readonly kind: 'echo'; readonly after: number; readonly bytes: ArrayBuffer }
  | { readonly kind: 'fail' }
  | { readonly kind: 'break' }
  | { readonly kind: 'exit' };

serve<Ask, ArrayBuffer, string>({
  async work(ask, tell) {
    if (ask.kind === 'fail') {
      const cause = new RangeError('why');
      throw new FlattenError('LIMIT', 'too much', { layer: 'layer 1', path: 'a/b', hint: 'less', cause });
    }
    if (ask.kind === 'break') throw new TypeError('a bug');
    if (ask.kind === 'exit') process.exit(7);
    tell('begun');
    for (let turn = 0; turn < ask.after; turn++) await new Promise((resolve) => setImmediate(resolve));
    return ask.bytes;
  },
  transfer: (bytes) => [bytes],
});
