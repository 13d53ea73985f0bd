import { createHash } from 'node:crypto';
import { aclToDisk } from './structures/acl.js';
import {
  BLOCK_ROOM,
  byKey,
  INODE_ROOM,
  MAX_SHARERS,
  PREFIXES,
  type StoredXattr,
  xattrsSize,
} from './structures/xattr.js';

const MAX_XATTR_NAME = 255;

/** Where an inode's attributes go. */
export interface PlacedXattrs {
  readonly inInode: readonly StoredXattr[];
  /** Sorted as a block wants them. */
  readonly inBlock: readonly StoredXattr[];
}

const NONE: PlacedXattrs = { inInode: [], inBlock: [] };

/**
 * Brings attributes into their on-disk form and shares them out: all in the inode if they fit there, else all in a
 * block, else as many as possible in the inode and the rest in a block. `undefined` if they do not fit at all.
 * What the format has no place for goes to `lose`, with the reason.
 */
export function placeXattrs(
  xattrs: ReadonlyMap<string, Buffer>,
  lose: (reason: string) => void = () => {},
): PlacedXattrs | undefined {
  if (xattrs.size === 0) return NONE;
  const stored: StoredXattr[] = [];
  for (const [name, value] of xattrs) {
    const result = toStored(name, value);
    if (typeof result === 'string') lose(result);
    else stored.push(result);
  }
  if (stored.length === 0) return NONE;
  stored.sort(byKey);
  if (xattrsSize(stored) <= INODE_ROOM) return { inInode: stored, inBlock: [] };
  if (xattrsSize(stored) <= BLOCK_ROOM) return { inInode: [], inBlock: stored };
  return shareOut(stored);
}

function shareOut(stored: readonly StoredXattr[]): PlacedXattrs | undefined {
  const inInode: StoredXattr[] = [];
  const bySize = [...stored].sort((a, b) => xattrsSize([b]) - xattrsSize([a]) || byKey(a, b));
  for (const xattr of bySize) if (xattrsSize([...inInode, xattr]) <= INODE_ROOM) inInode.push(xattr);
  const inBlock = stored.filter((xattr) => !inInode.includes(xattr));
  return xattrsSize(inBlock) <= BLOCK_ROOM ? { inInode, inBlock } : undefined;
}

/** An attribute in its on-disk form, or why there is none. */
function toStored(name: string, value: Buffer): StoredXattr | string {
  const prefix = PREFIXES.find(([start]) => name.startsWith(start));
  if (prefix === undefined) return `ext has no xattr namespace for ${name}`;
  const [start, index] = prefix;
  const rest = name.slice(start.length);
  if (start.startsWith('system.')) {
    if (rest !== '') return `ext has no xattr namespace for ${name}`;
    const acl = aclToDisk(value);
    return acl === undefined ? `${name} is no ACL that Linux takes` : { index, name: '', value: acl };
  }
  if (rest === '' || name.length > MAX_XATTR_NAME || name.includes('\0')) {
    return `${name} is no xattr name that Linux takes`;
  }
  return { index, name: rest, value };
}

/** The blocks of attributes that a tree needs: equal ones are one block while no more than 1024 inodes share it. */
export class XattrBlocks {
  readonly blocks: { readonly xattrs: readonly StoredXattr[]; sharers: number }[] = [];
  readonly #known = new Map<string, number>();
  readonly #byInode = new Map<number, number>();

  add(inode: number, xattrs: readonly StoredXattr[]): void {
    const key = identity(xattrs);
    let index = this.#known.get(key);
    if (index === undefined || this.blocks[index]!.sharers === MAX_SHARERS) {
      index = this.blocks.push({ xattrs, sharers: 0 }) - 1;
      this.#known.set(key, index);
    }
    this.blocks[index]!.sharers++;
    this.#byInode.set(inode, index);
  }

  /** Which of `blocks` the inode uses. */
  indexOf(inode: number): number | undefined {
    return this.#byInode.get(inode);
  }
}

function identity(xattrs: readonly StoredXattr[]): string {
  const hash = createHash('sha256');
  for (const { index, name, value } of xattrs) {
    hash.update(`${index} ${name.length} ${value.length} ${name}`, 'latin1').update(value);
  }
  return hash.digest('base64');
}
