/** The cache cannot be used, or not any more: a run goes on without it. */
export class CacheTrouble extends Error {
  override readonly name = 'CacheTrouble';
}

/** What goes wrong with the cache's own files, told from what goes wrong with a transfer. */
export function ofCache<T>(act: () => T): T {
  try {
    return act();
  } catch (cause) {
    throw cause instanceof CacheTrouble ? cause : new CacheTrouble((cause as Error).message, { cause });
  }
}
