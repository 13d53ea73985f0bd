import { homedir } from 'node:os';
import { join } from 'node:path';

/** Bytes that a cache may keep unless somebody says otherwise. */
export const DEFAULT_CACHE_SIZE = 20e9;

/**
 * Where the cache is: `named`, else FLATTEN_CACHE, else `flatten` in XDG_CACHE_HOME or `~/.cache`. Undefined for `none`.
 * Source: XDG Base Directory Specification; a relative XDG_CACHE_HOME does not count.
 */
export function cachePath(named?: string, env: NodeJS.ProcessEnv = process.env): string | undefined {
  const path = named || env.FLATTEN_CACHE;
  if (path) return path === 'none' ? undefined : path;
  const { XDG_CACHE_HOME: caches = '' } = env;
  return join(caches.startsWith('/') ? caches : join(env.HOME || homedir(), '.cache'), 'flatten');
}
