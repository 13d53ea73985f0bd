import { type BigIntStats, lstatSync, readdirSync, readlinkSync } from 'node:fs';
import type { Context } from '../context.js';
import { ioError, printable, throwIfAborted } from '../errors.js';
import { Nearer } from '../host/nearer.js';
import type { XattrReader } from '../host/xattrs.js';
import type { LayerEntry } from '../layer/layer.js';
import { byBytes } from '../rootfs/walk.js';
import type { EntryType, TarEntry } from '../tar/entry.js';

/** What the walk of a directory needs to know besides the directory. */
export interface HostTreeOptions {
  readonly xattrs: XattrReader;
  /** Paths on this machine (latin1) that are left out with all that is below them. */
  readonly exclude: ReadonlySet<string>;
}

/**
 * Walks a directory of this machine as the entries of one layer, names in byte order, the root first as `.`. No symlink
 * is followed; mount points are entered. Further names of an inode are `link` entries. Content stays where it is: the
 * path of each file is its layer file. Sockets, which no image holds, are left out with a warning. `root` is absolute,
 * in latin1, without a slash at its end.
 */
export function* hostTree(root: string, options: HostTreeOptions, context: Context): Generator<LayerEntry> {
  const nearer = new Nearer();
  try {
    yield* walk(root, options, context, nearer);
  } finally {
    nearer.close();
  }
}

function* walk(
  root: string,
  { xattrs, exclude }: HostTreeOptions,
  context: Context,
  nearer: Nearer,
): Generator<LayerEntry> {
  const firstNames = new Map<string, string>();
  let sockets = 0;
  let order = 0;
  const pending = [''];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    if (order++ % 1000 === 0) throwIfAborted(context.signal);
    const file = path === '' ? root || '/' : `${root}/${path}`;
    if (exclude.has(file)) continue;
    const found = { file, way: nearer.wayTo(file) };
    const stat = reading(file, () => lstatSync(Buffer.from(found.way, 'latin1'), { bigint: true }));
    const kind = typeOf(stat);
    if (kind === undefined) {
      sockets++;
      continue;
    }
    const inode = `${stat.dev}:${stat.ino}`;
    const first = kind === 'directory' || stat.nlink === 1n ? undefined : firstNames.get(inode);
    if (first === undefined && kind !== 'directory' && stat.nlink > 1n) firstNames.set(inode, path);
    const entry = describe(
      path === '' ? '.' : path,
      found,
      stat,
      first === undefined ? kind : 'link',
      first,
      xattrs,
    );
    yield { entry, file: { order, file } };
    if (kind === 'directory') {
      const names = reading(file, () =>
        readdirSync(Buffer.from(found.way, 'latin1'), { encoding: 'latin1' }),
      );
      nearer.enter(file);
      const prefix = path === '' ? '' : `${path}/`;
      // Last in, first out: the stack gives the names back in order.
      for (const name of names.sort(byBytes).reverse()) pending.push(prefix + name);
    }
  }
  if (sockets > 0) {
    const what = sockets === 1 ? '1 socket is' : `${sockets} sockets are`;
    context.report({
      type: 'warning',
      code: 'SOCKETS',
      message: `${printable(root)}: ${what} left out: no image holds sockets`,
    });
  }
}

/** A path on this machine, and one by which the system finds it sooner. */
interface Found {
  readonly file: string;
  readonly way: string;
}

function describe(
  path: string,
  { file, way }: Found,
  stat: BigIntStats,
  type: EntryType,
  first: string | undefined,
  xattrs: XattrReader,
): TarEntry {
  const device = type === 'char' || type === 'block' ? stat.rdev : 0n;
  return {
    path,
    type,
    linkpath: first ?? (type === 'symlink' ? reading(file, () => readTarget(way)) : ''),
    mode: Number(stat.mode & 0o7777n),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    mtime: stat.mtimeNs,
    size: type === 'file' ? Number(stat.size) : 0,
    major: Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn)),
    minor: Number((device & 0xffn) | ((device >> 12n) & 0xfff00n)),
    xattrs: xattrs(file, way),
    offset: 0,
  };
}

function readTarget(file: string): string {
  return readlinkSync(Buffer.from(file, 'latin1'), { encoding: 'latin1' });
}

function typeOf(stat: BigIntStats): EntryType | undefined {
  if (stat.isFile()) return 'file';
  if (stat.isDirectory()) return 'directory';
  if (stat.isSymbolicLink()) return 'symlink';
  if (stat.isCharacterDevice()) return 'char';
  if (stat.isBlockDevice()) return 'block';
  return stat.isFIFO() ? 'fifo' : undefined;
}

function reading<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw ioError(error, `reading ${printable(file)}`);
  }
}
