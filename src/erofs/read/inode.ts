import { readAt } from '../../disk/positioned.js';
import { COMPACT, EXTENDED, LAYOUT, type Layout } from '../format.js';
import { joinTime } from '../time.js';
import { xattrBytesOf } from '../xattrs.js';
import { damaged, type FileSystem, positionOf, unsupported } from './superblock.js';

/** An inode as it is stored. */
export interface StoredInode {
  readonly nid: number;
  readonly layout: Layout;
  /** With the type. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: bigint;
  readonly size: number;
  /** The first block, the device number, or the chunk format. */
  readonly where: number;
  /** Where its xattrs begin, and how many bytes they are. */
  readonly xattrsAt: number;
  readonly xattrBytes: number;
}

const BILLION = 1_000_000_000;
const COMPRESSED: readonly number[] = [LAYOUT.compressed, LAYOUT.compressedFull];

/** Reads an inode by its number. Throws `BAD_IMAGE`, and `UNSUPPORTED` for one that is compressed. */
export function readInode(nid: bigint | number, fs: FileSystem): StoredInode {
  const at = positionOf(nid, fs);
  const raw = readAt(fs.fd, at, Math.min(EXTENDED, fs.size - at));
  const format = raw.readUInt16LE(0);
  const isExtended = (format & 1) !== 0;
  const layout = (format >> 1) & 7;
  if (format >> 4 !== 0) throw damaged(`inode ${nid} has a format that is unknown`);
  if (COMPRESSED.includes(layout)) throw unsupported('compression');
  if (layout > LAYOUT.chunks) throw damaged(`inode ${nid} has its data in a layout that is unknown`);
  if (isExtended && raw.length < EXTENDED) throw damaged(`inode ${nid} is cut short`);
  const common = {
    nid: Number(nid),
    layout: layout as Layout,
    mode: raw.readUInt16LE(4),
    where: raw.readUInt32LE(16),
    xattrsAt: at + (isExtended ? EXTENDED : COMPACT),
    xattrBytes: xattrBytesOf(raw.readUInt16LE(2)),
  };
  return isExtended ? { ...common, ...extended(raw) } : { ...common, ...compact(raw, fs) };
}

type Own = Pick<StoredInode, 'uid' | 'gid' | 'mtime' | 'size'>;

function extended(raw: Buffer): Own {
  const size = raw.readBigUInt64LE(8);
  if (size > BigInt(Number.MAX_SAFE_INTEGER)) throw damaged('a file of more bytes than can be');
  const nanoseconds = raw.readUInt32LE(40);
  if (nanoseconds >= BILLION) throw damaged('a time with too many nanoseconds');
  const mtime = joinTime(raw.readBigInt64LE(32), nanoseconds);
  return { size: Number(size), mtime, uid: raw.readUInt32LE(24), gid: raw.readUInt32LE(28) };
}

function compact(raw: Buffer, { epoch, epochNanoseconds }: FileSystem): Own {
  const mtime = joinTime(epoch + BigInt(raw.readUInt32LE(12)), epochNanoseconds);
  return { size: raw.readUInt32LE(8), mtime, uid: raw.readUInt16LE(24), gid: raw.readUInt16LE(26) };
}
