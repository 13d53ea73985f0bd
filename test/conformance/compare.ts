import { escaped, linked, type Row, xattrText } from '../support/listing.js';
import { decimal } from '../support/tar.js';

/** What can be told apart of a name, in the order in which it is looked at. `device`: the whole of a device node. */
export const FIELDS = ['mode', 'owner', 'time', 'link', 'device', 'xattr'] as const;
export type Field = (typeof FIELDS)[number];

/** What a name may differ in. */
export type Point = Field | 'size' | 'content' | 'target';

export interface Comparison {
  /** What is not looked at. */
  readonly ignore: ReadonlySet<Field>;
  /** Compare what nothing decides, too: the time of directories that no layer describes, mode and owner of such a root. */
  readonly strict: boolean;
}

/** A tree that a tool made; `lacks` is what its form cannot tell. */
export interface Found {
  readonly rows: readonly Row[];
  readonly lacks: ReadonlySet<Point>;
}

/** The first thing, in byte order of the names, that is not as it should be; undefined where nothing is. */
export function firstDifference(
  expected: readonly Row[],
  found: Found,
  { ignore, strict }: Comparison,
): string | undefined {
  const [should, is] = [byPath(expected), byPath(found.rows)];
  const ignored = new Set<string>([...ignore, ...found.lacks]);
  for (const path of [...new Set([...should.keys(), ...is.keys()])].sort()) {
    const [wanted, there] = [should.get(path), is.get(path)];
    if (ignored.has('device') && wanted !== undefined && /[cb]/.test(wanted.kind)) continue;
    const difference = differenceOf(wanted, there, ignored, strict);
    if (difference !== undefined) return `${escaped(path)}: ${difference}`;
  }
  return undefined;
}

function differenceOf(
  should: Row | undefined,
  is: Row | undefined,
  ignored: ReadonlySet<string>,
  strict: boolean,
): string | undefined {
  if (is === undefined) return 'is missing';
  if (should === undefined) return 'is there, and should not be';
  if (is.kind !== should.kind) return `is ${KINDS[is.kind]}, should be ${KINDS[should.kind]}`;
  const open = strict ? [] : undecided(should);
  for (const [point, told] of POINTS) {
    if (ignored.has(point) || open.includes(point)) continue;
    const [wanted, there] = [told(should), told(is)];
    if (wanted !== there) return `${point} is ${there}, should be ${wanted}`;
  }
  return undefined;
}

/** Of a directory that no layer describes nothing says what its time is, and of such a root nothing at all. */
export function undecided({ path, kind, mode, uid, gid, mtime, xattrs }: Row): readonly Point[] {
  const isImplied =
    kind === 'd' && mode === 0o755 && uid === 0 && gid === 0 && mtime === 0n && xattrs.size === 0;
  return !isImplied ? [] : path === '.' ? ['mode', 'owner', 'time'] : ['time'];
}

const KINDS: Record<Row['kind'], string> = {
  f: 'a file',
  d: 'a directory',
  l: 'a symlink',
  c: 'a character device',
  b: 'a block device',
  p: 'a fifo',
  s: 'a socket',
};

const POINTS: readonly (readonly [Point, (row: Row) => string])[] = [
  ['mode', ({ mode }) => mode.toString(8).padStart(4, '0')],
  ['owner', ({ uid, gid }) => `${uid}:${gid}`],
  ['size', ({ size }) => `${size ?? '-'}`],
  ['content', ({ sha256 }) => `${sha256?.slice(0, 16) ?? '-'}`],
  ['target', ({ target }) => escaped(target ?? '-')],
  ['link', ({ group }) => (group === undefined ? '-' : escaped(group))],
  ['device', ({ device }) => device ?? '-'],
  ['time', ({ mtime }) => decimal(mtime)],
  ['xattr', ({ xattrs }) => xattrText(xattrs)],
];

function byPath(rows: readonly Row[]): Map<string, Row> {
  return new Map(linked(rows).map((row) => [row.path, row]));
}
