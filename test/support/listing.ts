import { createHash } from 'node:crypto';

/** A name in a tree, with everything an output must keep. Names are latin1. */
export interface Row {
  /** From the root, no leading slash; `.` for the root. */
  readonly path: string;
  readonly kind: 'f' | 'd' | 'l' | 'c' | 'b' | 'p' | 's';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Of a file. */
  readonly size?: number;
  /** Nanoseconds. */
  readonly mtime: bigint;
  /** Of a symlink. */
  readonly target?: string;
  /** Names with the same group are one inode; a group of one is none. */
  readonly group?: string;
  /** Of a device: `major:minor`. */
  readonly device?: string;
  readonly xattrs: ReadonlyMap<string, Buffer>;
  /** Of a file. */
  readonly sha256?: string;
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * One line a name in byte order, columns parted by tabs: path, kind, mode, uid, gid, size, mtime, target, the smallest
 * name of the hard-link group, device, xattrs, sha256; `-` where a kind has none. Two trees are the same when
 * their lines are.
 */
export function lines(rows: readonly Row[]): string[] {
  return linked(rows).map(line);
}

/** The rows in byte order, where the smallest name of a hard-link group stands for the group, and a group of one is none. */
export function linked(rows: readonly Row[]): Row[] {
  const sorted = [...rows].sort((a, b) => (a.path < b.path ? -1 : 1));
  const names = new Map<string, string[]>();
  for (const { group, path } of sorted) {
    if (group !== undefined) names.set(group, [...(names.get(group) ?? []), path]);
  }
  return sorted.map(({ group, ...row }) => {
    const same = group === undefined ? [] : names.get(group)!;
    return same.length > 1 ? { ...row, group: same[0]! } : row;
  });
}

function line(row: Row): string {
  const columns = [
    escaped(row.path),
    row.kind,
    row.mode.toString(8).padStart(4, '0'),
    row.uid,
    row.gid,
    row.size ?? '-',
    seconds(row.mtime),
    row.target === undefined ? '-' : escaped(row.target),
    row.group === undefined ? '-' : escaped(row.group),
    row.device ?? '-',
    xattrText(row.xattrs),
    row.sha256 ?? '-',
  ];
  return columns.join('\t');
}

/** What {@link lines} has made a line of. */
export function rowOf(text: string): Row {
  const [path, kind, mode, uid, gid, size, mtime, target, group, device, xattrs, sha] = text.split('\t');
  const [whole, rest] = mtime!.split('.');
  return {
    path: unescaped(path!),
    kind: kind as Row['kind'],
    mode: Number.parseInt(mode!, 8),
    uid: Number(uid),
    gid: Number(gid),
    mtime: BigInt(whole!) * BILLION + BigInt(rest!),
    ...(size !== '-' && { size: Number(size) }),
    ...(target !== '-' && { target: unescaped(target!) }),
    ...(group !== '-' && { group: unescaped(group!) }),
    ...(device !== '-' && { device: device! }),
    ...(sha !== '-' && { sha256: sha! }),
    xattrs: new Map(xattrs === '-' ? [] : xattrs!.split(',').map(xattrOf)),
  };
}

function xattrOf(text: string): [string, Buffer] {
  const equals = text.lastIndexOf('=');
  return [unescaped(text.slice(0, equals)), Buffer.from(text.slice(equals + 1), 'hex')];
}

/** `NAME=HEX,NAME=HEX`, without the label that SELinux puts on every file; `-` for none. */
export function xattrText(xattrs: ReadonlyMap<string, Buffer>): string {
  const pairs = [...xattrs]
    .filter(([name]) => name !== 'security.selinux')
    .map(([name, value]) => `${escaped(name)}=${value.toString('hex')}`);
  return pairs.sort().join(',') || '-';
}

/** Whole seconds rounded down, and nine digits: -1.5 s is `-2.500000000`. */
export function seconds(nanoseconds: bigint): string {
  const rest = ((nanoseconds % BILLION) + BILLION) % BILLION;
  return `${(nanoseconds - rest) / BILLION}.${String(rest).padStart(9, '0')}`;
}

const BILLION = 1_000_000_000n;

/** Bytes that do not print, the space and `\` as `\xNN`. */
export function escaped(bytes: string): string {
  return bytes.replace(
    /[^\x21-\x7e]|\\/g,
    (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

function unescaped(text: string): string {
  return text.replace(/\\x([0-9a-f]{2})/g, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
}
