import { type Context, DEFAULT_LIMITS } from '../../src/context.js';

/** A context that nobody listens to, but for what `over` says. */
export function quiet(over: Partial<Context> = {}): Context {
  const { signal } = new AbortController();
  return { signal, tmp: '/nonexistent', limits: DEFAULT_LIMITS, digests: true, report: () => {}, ...over };
}
