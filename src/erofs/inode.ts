import { deviceWord } from '../disk/device.js';
import { TYPE } from '../rootfs/mode.js';
import type { Node } from '../rootfs/node.js';
import type { Layout } from './format.js';
import { splitTime } from './time.js';
import { xattrCount } from './xattrs.js';

/** What an inode says beyond the node's own metadata. */
export interface InodeBody {
  readonly layout: Layout;
  readonly size: number;
  /** Bytes of its xattrs, as {@link xattrsSize} gives them. */
  readonly xattrBytes: number;
  /** The first block of flat data, or the chunk format. */
  readonly where: number;
  /** For old calls that want an inode number of 32 bits. */
  readonly serial: number;
}

/** Writes an inode's core, in its extended form, into 64 zeroed bytes. */
export function writeInode(into: Buffer, node: Node, body: InodeBody): void {
  const { mode, uid, gid, mtime } = node.meta;
  const { seconds, nanoseconds } = splitTime(mtime);
  into.writeUInt16LE(1 | (body.layout << 1), 0);
  into.writeUInt16LE(xattrCount(body.xattrBytes), 2);
  into.writeUInt16LE(TYPE[node.kind] | mode, 4);
  into.writeBigUInt64LE(BigInt(body.size), 8);
  into.writeUInt32LE(whereOf(node, body), 16);
  into.writeUInt32LE(body.serial, 20);
  into.writeUInt32LE(uid, 24);
  into.writeUInt32LE(gid, 28);
  into.writeBigInt64LE(seconds, 32);
  into.writeUInt32LE(nanoseconds, 40);
  into.writeUInt32LE(node.nlink, 44);
}

function whereOf(node: Node, { where }: InodeBody): number {
  if (node.kind === 'char' || node.kind === 'block') return deviceWord(node);
  return node.kind === 'fifo' ? 0 : where;
}
