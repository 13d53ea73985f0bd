import { readEntry } from './case-line.js';
import { type Row, sha256 } from './listing.js';
import type { Word } from './words.js';

/** A line of a case's `tree`; `rows` are the lines before it, which a hard link refers to. */
export function rowFrom(found: readonly Word[], rows: Row[]): Row {
  const line = readEntry(found);
  const path = line.path === '.' ? '.' : line.path.replace(/\/$/, '');
  if (line.kind === 'h') return secondName(path, line.target, rows);
  if (!/^[fdlcbp]$/.test(line.kind)) throw new Error(`${line.kind}: a tree holds f d l c b p h`);
  if (line.attributes.size > 0) throw new Error(`${[...line.attributes.keys()]}: not in a tree`);
  const { mode, uid, gid, mtime, xattrs } = line;
  const row = { path, kind: line.kind as Row['kind'], mode, uid, gid, mtime, xattrs };
  if (line.kind === 'f') {
    const bytes = Buffer.concat(
      line.pieces.map((piece) => (Buffer.isBuffer(piece) ? piece : Buffer.alloc(piece))),
    );
    return { ...row, size: bytes.length, sha256: sha256(bytes) };
  }
  if (line.kind === 'l') return { ...row, target: line.target! };
  return line.device === undefined ? row : { ...row, device: line.device.join(':') };
}

function secondName(path: string, target: string | undefined, rows: Row[]): Row {
  const at = rows.findIndex((row) => row.path === target);
  if (at < 0) throw new Error(`${target}: a hard link names a line above it`);
  const group = rows[at]!.group ?? target!;
  rows[at] = { ...rows[at]!, group };
  return { ...rows[at], path };
}
