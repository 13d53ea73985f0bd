import { linked, type Row, seconds } from '../support/listing.js';
import { type Found, type Point, undecided } from './compare.js';

/**
 * A tree in the words of mtree(5), as bsdtar, mtree(8) and go-mtree write it. What no line says is taken for unknown:
 * hard links where there is no `inode`, times and digests that were not asked for, and always xattrs.
 */
export function readMtree(text: string): Found {
  const defaults = new Map<string, string>();
  const rows: Row[] = [];
  const said = new Set<string>();
  let directory = '.';
  for (const line of text.replaceAll('\\\n', ' ').split('\n')) {
    const [first, ...rest] = line.trim().split(/\s+/);
    if (!first || first.startsWith('#')) continue;
    if (first === '..') directory = parentOf(directory);
    else if (first === '/set') for (const [key, value] of pairs(rest)) defaults.set(key, value);
    else if (first === '/unset') for (const key of rest) defaults.delete(key);
    else {
      const words = new Map([...defaults, ...pairs(rest)]);
      for (const key of words.keys()) said.add(key);
      const path = place(unvis(first), directory);
      // A name without a slash lies in the directory that the last such directory opened.
      if (!first.includes('/') && words.get('type') === 'dir') directory = path;
      rows.push(rowOf(path, words));
    }
  }
  return { rows, lacks: lacking(said) };
}

const NEEDED: readonly (readonly [Point, readonly string[]])[] = [
  ['mode', ['mode']],
  ['owner', ['uid', 'gid']],
  ['time', ['time']],
  ['link', ['inode']],
  ['size', ['size']],
  ['content', ['sha256digest', 'sha256']],
];

function lacking(said: ReadonlySet<string>): Found['lacks'] {
  const lacks = NEEDED.filter(([, keys]) => !keys.some((key) => said.has(key))).map(([point]) => point);
  return new Set<Point>([...lacks, 'xattr']);
}

function pairs(found: readonly string[]): [string, string][] {
  return found.map((word) => {
    const equals = word.indexOf('=');
    return equals < 0 ? [word, ''] : [word.slice(0, equals), word.slice(equals + 1)];
  });
}

const KINDS: Record<string, Row['kind']> = {
  file: 'f',
  dir: 'd',
  link: 'l',
  char: 'c',
  block: 'b',
  fifo: 'p',
  socket: 's',
};

function rowOf(path: string, words: ReadonlyMap<string, string>): Row {
  const kind = KINDS[words.get('type') ?? 'file'] ?? 'f';
  const inode = words.get('inode');
  const target = words.get('link');
  const digest = words.get('sha256digest') ?? words.get('sha256');
  const device = words.get('device') ?? words.get('resdevice');
  return {
    path,
    kind,
    mode: Number.parseInt(words.get('mode') ?? '0', 8),
    uid: Number(words.get('uid') ?? 0),
    gid: Number(words.get('gid') ?? 0),
    mtime: timeOf(words.get('time') ?? '0'),
    xattrs: new Map(),
    ...(kind === 'f' && { size: Number(words.get('size') ?? 0) }),
    ...(kind === 'f' && digest !== undefined && { sha256: digest }),
    ...(target !== undefined && { target: unvis(target) }),
    ...(/[cb]/.test(kind) && device !== undefined && { device: device.split(',').slice(-2).join(':') }),
    ...(kind !== 'd' && inode !== undefined && { group: inode }),
  };
}

/** `SECONDS.NANOSECONDS`; the second is a number, and no fraction. */
function timeOf(text: string): bigint {
  const [whole = '0', rest = '0'] = text.split('.');
  return BigInt(whole) * 1_000_000_000n + BigInt(rest);
}

function place(name: string, directory: string): string {
  const path = name.includes('/') || name === '.' || directory === '.' ? name : `${directory}/${name}`;
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  return parts.join('/') || '.';
}

function parentOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '.';
}

/** vis(3): three octal digits, or a letter. */
function unvis(text: string): string {
  return text.replace(/\\([0-7]{3}|.)/g, (_, code: string) =>
    code.length === 3 ? String.fromCharCode(Number.parseInt(code, 8)) : (NAMED[code] ?? code),
  );
}

const NAMED: Record<string, string> = {
  n: '\n',
  t: '\t',
  r: '\r',
  s: ' ',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
};

const TYPES = { f: 'file', d: 'dir', l: 'link', c: 'char', b: 'block', p: 'fifo', s: 'socket' };

/** A tree in the words of mtree(5), without what nothing decides. It has no word for xattrs, and none for which names are one inode but their count. */
export function writeMtree(tree: readonly Row[]): string {
  const rows = linked(tree);
  return ['#mtree', ...rows.map((row) => mtreeLine(row, rows)), ''].join('\n');
}

function mtreeLine(row: Row, rows: readonly Row[]): string {
  const open = undecided(row);
  const names = rows.filter(({ group }) => group !== undefined && group === row.group).length;
  const words = [
    row.path === '.' ? '.' : `./${vis(row.path)}`,
    `type=${TYPES[row.kind]}`,
    open.includes('mode') ? '' : `mode=${row.mode.toString(8).padStart(4, '0')}`,
    open.includes('owner') ? '' : `uid=${row.uid} gid=${row.gid}`,
    open.includes('time') ? '' : `time=${seconds(row.mtime)}`,
    row.size === undefined ? '' : `size=${row.size} sha256digest=${row.sha256}`,
    row.target === undefined ? '' : `link=${vis(row.target)}`,
    row.device === undefined ? '' : `device=native,${row.device.replace(':', ',')}`,
    names > 1 ? `nlink=${names}` : '',
  ];
  return words.filter((word) => word !== '').join(' ');
}

/** vis(3), as {@link unvis} undoes it. */
function vis(bytes: string): string {
  return bytes.replace(
    /[^\x21-\x7e]|[\\#=*?[]/g,
    (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`,
  );
}
