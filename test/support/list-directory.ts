import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  type BigIntStats,
  closeSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
} from 'node:fs';
import type { Row } from './listing.js';

/**
 * The names below a directory of this machine, as the kernel shows them. Needs `getfattr`; root, to see every xattr.
 * Asserts that link counts are right; overlayfs counts names that an upper layer hides, so there it must not.
 */
export function listDirectory(root: string, { countLinks = true } = {}): Row[] {
  const rows = listRows(root);
  if (!countLinks) return rows.map(({ nlink: _, ...row }) => row);
  const names = new Map<string, number>();
  for (const { group = '' } of rows) names.set(group, (names.get(group) ?? 0) + 1);
  return rows.map(({ nlink, ...row }) => {
    if (row.group !== undefined) assert.equal(nlink, names.get(row.group), `link count of ${row.path}`);
    return row;
  });
}

interface CountedRow extends Row {
  readonly nlink: number;
}

function listRows(root: string): CountedRow[] {
  const xattrs = readXattrs(root);
  const rows: CountedRow[] = [];
  const digests = new Map<string, string>();
  const queue = ['.'];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    const row = rowOf(root, path, xattrs.get(path) ?? new Map(), digests);
    rows.push(row);
    if (row.kind !== 'd') continue;
    for (const name of readdirSync(host(root, path), 'latin1'))
      queue.push(path === '.' ? name : `${path}/${name}`);
  }
  return rows;
}

function host(root: string, path: string): Buffer {
  return Buffer.concat([Buffer.from(`${root}/`), Buffer.from(path, 'latin1')]);
}

/** `digests` are those of the files read so far, by inode: busybox has hundreds of names. */
function rowOf(
  root: string,
  path: string,
  xattrs: ReadonlyMap<string, Buffer>,
  digests: Map<string, string>,
): CountedRow {
  const file = host(root, path);
  const stat = lstatSync(file, { bigint: true });
  const inode = `${stat.dev}:${stat.ino}`;
  const kind = kindOf(stat);
  const isShared = kind !== 'd' && stat.nlink > 1n;
  const digestOnce = () => {
    const digest = digests.get(inode) ?? fileDigest(file);
    digests.set(inode, digest);
    return digest;
  };
  return {
    path,
    kind,
    mode: Number(stat.mode & 0o7777n),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    mtime: stat.mtimeNs,
    xattrs,
    nlink: Number(stat.nlink),
    ...(isShared && { group: inode }),
    ...(kind === 'f' && { size: Number(stat.size), sha256: digestOnce() }),
    ...(kind === 'l' && { target: readlinkSync(file, 'latin1') }),
    ...((kind === 'c' || kind === 'b') && { device: deviceOf(stat.rdev) }),
  };
}

function kindOf(stat: BigIntStats): Row['kind'] {
  if (stat.isDirectory()) return 'd';
  if (stat.isSymbolicLink()) return 'l';
  if (stat.isCharacterDevice()) return 'c';
  if (stat.isBlockDevice()) return 'b';
  if (stat.isFIFO()) return 'p';
  return stat.isSocket() ? 's' : 'f';
}

/** As glibc's `major` and `minor` take a device number apart. */
function deviceOf(rdev: bigint): string {
  const major = ((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & 0xfffff000n);
  return `${major}:${(rdev & 0xffn) | ((rdev >> 12n) & 0xffffff00n)}`;
}

const window = Buffer.alloc(2 ** 20);

function fileDigest(file: Buffer): string {
  const hash = createHash('sha256');
  const fd = openSync(file, 'r');
  for (let read = readSync(fd, window); read > 0; read = readSync(fd, window))
    hash.update(window.subarray(0, read));
  closeSync(fd);
  return hash.digest('hex');
}

/** Every xattr below a directory, by path; one run of `getfattr` for all of them. */
function readXattrs(root: string): Map<string, Map<string, Buffer>> {
  const { stdout, error } = spawnSync(
    'getfattr',
    ['-R', '-P', '-h', '-d', '-m', '-', '-e', 'hex', '--', '.'],
    {
      cwd: root,
      maxBuffer: 2 ** 30,
      encoding: 'latin1',
    },
  );
  if (error !== undefined) throw error;
  const found = new Map<string, Map<string, Buffer>>();
  for (const block of stdout.split('\n\n')) {
    const [head, ...pairs] = block.split('\n').filter((line) => line !== '');
    if (head === undefined) continue;
    found.set(unescaped(head.slice('# file: '.length)).replace(/^\.\//, ''), new Map(pairs.map(xattr)));
  }
  return found;
}

function xattr(line: string): [string, Buffer] {
  const [name = '', value = ''] = line.split('=0x');
  return [unescaped(name.replace(/=$/, '')), Buffer.from(value, 'hex')];
}

/** `getfattr` writes `\` and what does not print as three octal digits. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
