import { posix } from 'node:path';
import { FlattenError } from '../errors.js';
import { MAX_PATH } from '../rootfs/path.js';

/** Where the script goes by default: a name of its own, in the directory that Linux looks for its first process in. */
const INIT_PATH = '/sbin/flatten-init';

/** Where the script hides itself once it has run. */
const MOUNTED = /^\/(?:proc|sys|dev|run|tmp)(?:\/|$)/;

/** Takes apart what `addInit` may be: true, or an absolute path. Throws `USAGE`. */
export function parseInitPath(asked: string | true): string {
  if (asked === true) return INIT_PATH;
  const bad = (what: string, hint?: string) =>
    new FlattenError('USAGE', `{addInit: ${asked}}: ${what}`, { ...(hint && { hint }) });
  if (!asked.startsWith('/') || asked.endsWith('/') || asked.includes('\0'))
    throw bad('is no absolute path of a file', `as ${INIT_PATH}`);
  if (asked.split('/').includes('..') || Buffer.byteLength(asked) > MAX_PATH)
    throw bad('is no path in the image');
  const path = posix.normalize(asked);
  if (MOUNTED.test(path)) throw bad('something is mounted there when a machine starts', `as ${INIT_PATH}`);
  return path;
}
