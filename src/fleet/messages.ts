import type { RunEvent } from '../context.js';
import type { FlattenOptions, FlattenResult } from '../options.js';
import type { Look } from '../sources/remote-look.js';
import type { Failure } from '../threads/failure.js';

/** What a child process is asked to do with one image: to write it, or only to look what it is. */
export interface Task {
  readonly kind: 'flatten' | 'look';
  /** By message and not as arguments, which everybody on the machine can read. */
  readonly request: Omit<FlattenOptions, 'signal' | 'onEvent'>;
}

/** What a child process says. After an answer that is no event it waits for the next task. */
export type Said =
  | { readonly kind: 'event'; readonly event: RunEvent }
  | { readonly kind: 'flatten'; readonly result: FlattenResult; readonly memory: number }
  | { readonly kind: 'look'; readonly look: Look; readonly memory: number }
  | { readonly kind: 'failed'; readonly failure: Failure };
