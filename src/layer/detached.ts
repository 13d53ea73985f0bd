import { MAX_PATH } from '../rootfs/path.js';

/** V8 copies what is shorter; a longer part of a string is a slice, which keeps the whole string. */
const SLICE = 13;

const own = Buffer.allocUnsafe(MAX_PATH);

/** The same name (latin1, at most {@link MAX_PATH} bytes) as a string of its own: a part of a path would keep the whole path in memory. */
export function detached(name: string): string {
  return name.length < SLICE ? name : own.toString('latin1', 0, own.write(name, 'latin1'));
}
