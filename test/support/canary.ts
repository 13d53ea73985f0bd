import assert from 'node:assert/strict';
import {
  type BigIntStats,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

/** What an attack would change: made at `path`, and looked at again by `assertUntouched`. */
export class Canary {
  readonly path: string;
  readonly #around: string;
  readonly #before: readonly string[];

  /** Makes `around/canary`. Everything below `around` is watched. */
  constructor(around: string) {
    this.#around = around;
    this.path = join(around, 'canary');
    mkdirSync(join(this.path, 'd'), { recursive: true });
    writeFileSync(join(this.path, 'secret'), 'secret', { mode: 0o600 });
    writeFileSync(join(this.path, 'd', 'f'), 'inner');
    symlinkSync('secret', join(this.path, 'link'));
    this.#before = snapshot(around, '.', []);
  }

  /** Asserts that nothing changed, to the ctime of each inode, and that nothing new is there but `expected` at the top. */
  assertUntouched(expected: readonly string[]): void {
    assert.deepEqual(snapshot(this.#around, '.', expected), this.#before);
  }
}

/** A line for each name, with all that a stat call says, times of reading aside; directories at the top without their times. */
function snapshot(root: string, path: string, ignored: readonly string[]): string[] {
  const host = join(root, path);
  const stat = lstatSync(host, { bigint: true });
  const line = `${path} ${path === '.' ? 'top' : said(stat)} ${content(host, stat)}`;
  if (!stat.isDirectory()) return [line];
  const names = readdirSync(host).filter((name) => path !== '.' || !ignored.includes(name));
  return [line, ...names.sort().flatMap((name) => snapshot(root, join(path, name), ignored))];
}

function said({ ino, mode, nlink, uid, gid, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [ino, mode.toString(8), nlink, uid, gid, size, mtimeNs, ctimeNs].join(' ');
}

function content(host: string, stat: BigIntStats): string {
  if (stat.isSymbolicLink()) return readlinkSync(host);
  return stat.isFile() ? readFileSync(host, 'latin1') : '';
}
