import { BLOCK } from './header.js';
import type { PaxRecord } from './pax.js';
import type { Run } from './sparse.js';
import { encodePax, paxRecords } from './write-pax.js';
import { blockRuns, runBytes, sparseMap } from './write-sparse.js';
import { type UstarMetadata, type UstarName, type UstarType, ustarBlock } from './write-ustar.js';
import type { Member } from './written-member.js';

/** What stands in front of a member's stored bytes. */
export interface Encoded {
  /** Whole blocks: long names and a PAX header where they are needed, the ustar header, a sparse file's map. */
  readonly header: Buffer;
  /** A sparse file: what follows is the bytes of these runs, one after another, and not all `size` of them. */
  readonly runs?: readonly Run[];
}

/** The end of an archive: two zero blocks. No padding to tape records follows; layers and `docker export` have none. */
export const END: Buffer = Buffer.alloc(2 * BLOCK);

/** How many zeros follow `stored` bytes of a body, to make it whole blocks. */
export function padding(stored: number): number {
  return -stored & (BLOCK - 1);
}

/**
 * Encodes a member as POSIX.1-2017 `pax` has it: a ustar header, and an `x` header before it for only what ustar cannot
 * hold. Equal members give equal bytes: records are sorted, and the special headers have fixed names, owner and time.
 *
 * A file with `segments` becomes GNU.sparse 1.0 under its own name, or, where its map would be longer than readers
 * take, a plain file with its zeros.
 */
export function encodeMember(member: Member): Encoded {
  const sparse = member.segments && sparseBody(member.segments, member.size);
  const size = sparse === undefined ? member.size : sparse.map.length + runBytes(sparse.runs);
  const blocks: Buffer[] = [];
  const names: PaxRecord[] = [];
  const split = splitPath(member.path);
  if (split === undefined) addLong('path', member.path, blocks, names);
  if (member.linkpath.length > 100) addLong('linkpath', member.linkpath, blocks, names);
  const records = paxRecords(member, size, sparse && member.size, names);
  if (records.length > 0) blocks.push(...special('pax', 'PaxHeaders/member', encodePax(records)));
  blocks.push(ustarBlock(member.type, split ?? { prefix: '', name: member.path }, size, member));
  if (sparse !== undefined) return { header: Buffer.concat([...blocks, sparse.map]), runs: sparse.runs };
  return { header: blocks.length === 1 ? blocks[0]! : Buffer.concat(blocks) };
}

function sparseBody(segments: readonly Run[], size: number): { map: Buffer; runs: Run[] } | undefined {
  const runs = blockRuns(segments, size);
  const map = sparseMap(runs, size);
  return map && { map, runs };
}

/** Prefix and name as ustar holds them; undefined where no slash lies in the right place. */
function splitPath(path: string): UstarName | undefined {
  if (path.length <= 100) return { prefix: '', name: path };
  const slash = path.lastIndexOf('/', Math.min(155, path.length - 2));
  if (slash < 1 || path.length - slash - 1 > 100) return undefined;
  return { prefix: path.slice(0, slash), name: path.slice(slash + 1) };
}

/**
 * A name too long for ustar is a PAX record if it is ASCII, otherwise a GNU long name. PAX text is UTF-8 by definition:
 * bsdtar in the C locale refuses to convert `é`, and any byte that is no UTF-8 in every locale; `hdrcharset=BINARY`
 * makes GNU tar complain. Long names are bytes to GNU tar, bsdtar, Go, Python and busybox alike, as ustar fields are.
 * They stand before the PAX header, so that its records can only mean the member.
 */
function addLong(key: 'path' | 'linkpath', text: string, blocks: Buffer[], names: PaxRecord[]): void {
  if (/^[\x00-\x7f]*$/.test(text)) names.push([key, text]);
  else {
    const type = key === 'path' ? 'long-name' : 'long-link';
    blocks.push(...special(type, '././@LongLink', Buffer.from(`${text}\0`, 'latin1')));
  }
}

const NOBODY: UstarMetadata = { linkpath: '', mode: 0o644, uid: 0, gid: 0, mtime: 0n, major: 0, minor: 0 };

/** A header that speaks of the next member, with its body. */
function special(type: UstarType, name: string, body: Buffer): Buffer[] {
  const header = ustarBlock(type, { prefix: '', name }, body.length, NOBODY);
  return [header, body, Buffer.alloc(padding(body.length))];
}
