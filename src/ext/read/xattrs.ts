import { readAt } from '../../disk/positioned.js';
import { FlattenError } from '../../errors.js';
import { NO_XATTRS } from '../../rootfs/node.js';
import { sizeText } from '../../size-text.js';
import { aclFromDisk } from '../structures/acl.js';
import type { StoredInode } from '../structures/inode.js';
import { BLOCK_HEADER, PREFIXES, XATTR_ENTRY, XATTR_MAGIC } from '../structures/xattr.js';
import { type BlockDevice, damaged } from './block-map.js';

/** Bytes of all attributes together, past which an image is up to no good. */
const MAX_BYTES = 512 * 2 ** 20;

/** Reads the attributes of inodes. A block that many share is read once as long as they come one after another. */
export class XattrReader {
  readonly #device: BlockDevice;
  #left = MAX_BYTES;
  #last = -1;
  #block: Buffer = Buffer.alloc(0);

  constructor(device: BlockDevice) {
    this.#device = device;
  }

  /** An inode's attributes as the system calls have them, in the order of their names' bytes. */
  read(inode: StoredInode): ReadonlyMap<string, Buffer> {
    const found: [string, Buffer][] = [];
    const { tail, xattrBlock } = inode;
    if (tail.length > 4 && tail.readUInt32LE(0) === XATTR_MAGIC) this.#entries(tail.subarray(4), 0, found);
    if (xattrBlock !== 0) {
      const block = this.#read(xattrBlock);
      if (block.readUInt32LE(0) !== XATTR_MAGIC) throw damaged('a block of xattrs that is none');
      this.#entries(block, BLOCK_HEADER, found);
    }
    if (found.length === 0) return NO_XATTRS;
    return new Map(found.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  #read(number: number): Buffer {
    const { fd, blockSize, blocks } = this.#device;
    if (number >= blocks) throw damaged('a block number past the end');
    if (number !== this.#last) this.#block = readAt(fd, number * blockSize, blockSize);
    this.#last = number;
    return this.#block;
  }

  #entries(area: Buffer, start: number, into: [string, Buffer][]): void {
    let at = start;
    while (at + 4 <= area.length && area.readUInt32LE(at) !== 0) {
      if (at + XATTR_ENTRY > area.length) throw damaged('an xattr cut short');
      const name = area.toString('latin1', at + XATTR_ENTRY, at + XATTR_ENTRY + area[at]!);
      const offset = area.readUInt16LE(at + 2);
      const size = area.readUInt32LE(at + 8);
      if (area.readUInt32LE(at + 4) !== 0)
        throw new FlattenError('UNSUPPORTED', 'an xattr in an inode of its own');
      if (offset + size > area.length || name.length !== area[at]) throw damaged('an xattr cut short');
      this.#left -= size + name.length;
      if (this.#left < 0) throw new FlattenError('LIMIT', `xattrs of more than ${sizeText(MAX_BYTES)}`);
      into.push(fromDisk(area[at + 1]!, name, Buffer.from(area.subarray(offset, offset + size))));
      at += XATTR_ENTRY + ((name.length + 3) & ~3);
    }
  }
}

function fromDisk(index: number, name: string, value: Buffer): [string, Buffer] {
  const prefix = PREFIXES.find(([, known]) => known === index)?.[0];
  if (prefix === undefined) throw new FlattenError('UNSUPPORTED', `xattrs of namespace ${index}`);
  if (!prefix.startsWith('system.')) return [prefix + name, value];
  const acl = aclFromDisk(value);
  if (acl === undefined) throw damaged(`${prefix} is no ACL`);
  return [prefix, acl];
}
