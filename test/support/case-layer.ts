import { type Line, type Piece, readEntry } from './case-line.js';
import type { Packing } from './compress.js';
import type { Dialect, SparseForm } from './tar.js';
import { type ArchiveEnd, archive, END, type Header, type Member, paxHeader } from './tar.js';
import type { Word } from './words.js';

/** A layer of a case, not yet bytes. */
export interface CaseLayer {
  readonly packing: Packing;
  readonly end: ArchiveEnd;
  readonly members: (Member | Buffer)[];
}

/** The words after `layer`: `gzip`, `zstd`, `xz`, `bzip2`, `pieces=3`, `skippable=yes`, `end=no`, `cut=100`, `trailing="…"`. */
export function layerFrom(found: readonly string[]): CaseLayer {
  const has = (name: string) => found.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1);
  const trailing = has('trailing');
  const compression = found.find((word) => /^(gzip|zstd|xz|bzip2)$/.test(word));
  return {
    packing: {
      compression: (compression as Packing['compression'] | undefined) ?? 'none',
      pieces: Number(has('pieces') ?? 1),
      skippable: has('skippable') === 'yes',
    },
    end: {
      end: has('end') !== 'no',
      cut: Number(has('cut') ?? 0),
      ...(trailing !== undefined && { trailing: Buffer.from(trailing, 'latin1') }),
    },
    members: [],
  };
}

/** The layer's tar. */
export function layerTar(layer: CaseLayer): Buffer {
  return archive(layer.members, layer.end);
}

const TYPEFLAGS: Record<string, string> = { f: '0', w: '0', h: '1', l: '2', c: '3', b: '4', d: '5', p: '6' };

/** A line of a `layer`. */
export function memberFrom(found: readonly Word[]): Member | Buffer {
  const [kind, second] = found;
  if (kind!.text === 'end') return END;
  if (kind!.text === 'x' || kind!.text === 'g') return paxLine(kind!.text, found.slice(1));
  const line = readEntry(found);
  const typeflag = TYPEFLAGS[line.kind];
  if (typeflag === undefined) throw new Error(`${line.kind}: a layer holds f d l h c b p w x g end`);
  if (second === undefined) throw new Error('an entry needs a path');
  const dialect = line.attributes.get('as') as Dialect | undefined;
  const { path, mode, uid, gid, mtime, xattrs } = line;
  return {
    path,
    mode,
    uid,
    gid,
    mtime,
    xattrs,
    typeflag: line.attributes.get('type') ?? (dialect === 'v7' && /[05]/.test(typeflag) ? '\0' : typeflag),
    ...(line.target !== undefined && { linkpath: line.target }),
    ...(line.device !== undefined && { major: line.device[0], minor: line.device[1] }),
    ...(dialect !== undefined && { dialect }),
    ...bodyOf(line),
    records: prefixed(line.attributes, 'pax.'),
    header: headerOf(line.attributes),
  };
}

function bodyOf({ pieces, attributes }: Line): Pick<Member, 'body' | 'sparse'> {
  const body = Buffer.concat(pieces.filter((piece) => typeof piece !== 'number'));
  const form = attributes.get('sparse') as SparseForm | undefined;
  if (form === undefined) return { body };
  const runs: [number, number][] = [];
  let realSize = 0;
  for (const piece of pieces) {
    if (typeof piece !== 'number') runs.push([realSize, piece.length]);
    realSize += lengthOf(piece);
  }
  if (typeof pieces.at(-1) === 'number') runs.push([realSize, 0]);
  return { body, sparse: { form, realSize, runs } };
}

function lengthOf(piece: Piece): number {
  return typeof piece === 'number' ? piece : piece.length;
}

function headerOf(attributes: ReadonlyMap<string, string>): Header {
  const fields = Object.fromEntries(prefixed(attributes, 'header.'));
  const checksum = attributes.get('checksum') as Header['checksum'];
  return checksum === undefined ? fields : { ...fields, checksum };
}

function prefixed(attributes: ReadonlyMap<string, string>, prefix: string): [string, string][] {
  return [...attributes]
    .filter(([key]) => key.startsWith(prefix))
    .map(([key, value]) => [key.slice(prefix.length), value]);
}

/** `x key=value …` or `g key=value …`: a PAX header of its own, for the next entry or for all that follow; or its body, quoted. */
function paxLine(typeflag: string, found: readonly Word[]): Buffer {
  if (found[0]?.quoted) return paxHeader(Buffer.from(found[0].text, 'latin1'), typeflag);
  const records = found.map(({ text }): [string, string] => {
    const equals = text.indexOf('=');
    if (equals < 1) throw new Error(`${text}: a PAX header holds key=value words`);
    return [text.slice(0, equals), text.slice(equals + 1)];
  });
  return paxHeader(records, typeflag);
}
