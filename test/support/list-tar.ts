import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { Row } from './listing.js';
import { PROJECT } from './project.js';

/** The names in a flat tar, uncompressed, as Python's tarfile reads it. Needs `python3`. Asserts that no name comes twice. */
export function listTar(path: string): Row[] {
  const fd = openSync(path, 'r');
  const script = join(PROJECT, 'test', 'support', 'list-tar.py');
  const { status, stdout, stderr } = spawnSync('python3', [script], {
    stdio: [fd, 'pipe', 'pipe'],
    env: { ...process.env, PYTHONUTF8: '1' },
    maxBuffer: 2 ** 30,
    encoding: 'utf8',
  });
  closeSync(fd);
  assert.equal(status, 0, stderr);
  const rows = new Map<string, Row>();
  for (const text of stdout.split('\n').slice(0, -1)) addMember(rows, JSON.parse(text) as Member);
  return [...rows.values()];
}

/** A line of `list-tar.py`. */
interface Member extends Omit<Row, 'kind' | 'mtime' | 'xattrs'> {
  readonly kind: Row['kind'] | 'h';
  readonly mtime: string;
  readonly xattrs: Readonly<Record<string, string>>;
}

function addMember(rows: Map<string, Row>, { kind, mtime, xattrs, ...member }: Member): void {
  const path = normal(member.path);
  assert.ok(!rows.has(path), `${path} stands twice in the tar`);
  if (kind !== 'h') {
    const values = Object.entries(xattrs).map(([name, hex]) => [name, Buffer.from(hex, 'hex')] as const);
    rows.set(path, { ...member, path, kind, mtime: BigInt(mtime), xattrs: new Map(values) });
    return;
  }
  const target = normal(member.target ?? '');
  const first = rows.get(target);
  assert.ok(first, `${path} links to ${target}, which does not stand before it`);
  const group = first.group ?? target;
  rows.set(target, { ...first, group });
  rows.set(path, { ...first, path, group });
}

function normal(path: string): string {
  return (
    path
      .split('/')
      .filter((part) => part !== '' && part !== '.')
      .join('/') || '.'
  );
}
