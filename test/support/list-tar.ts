import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Row } from './listing.js';
import { PROJECT } from './project.js';

const SCRIPT = join(PROJECT, 'test', 'support', 'list-tar.py');
const env = { ...process.env, PYTHONUTF8: '1' };

/** The names in a flat tar, uncompressed, as Python's tarfile reads it. Needs `python3`. Asserts that no name comes twice. */
export function listTar(path: string): Row[] {
  const input = `${JSON.stringify(path)}\n`;
  const options = { input, env, maxBuffer: 2 ** 30, encoding: 'utf8' } as const;
  const { status, stdout, stderr } = spawnSync('python3', [SCRIPT], options);
  assert.equal(status, 0, stderr);
  return rowsOf(stdout);
}

let reader: { readonly python: ChildProcess; readonly answers: AsyncIterator<string> } | undefined;

/** The same, one tar after the other, by a Python that stays: to start it takes longer than most tars. */
export async function listNextTar(path: string): Promise<Row[]> {
  reader ??= startReader();
  const { python, answers } = reader;
  python.ref();
  python.stdin!.write(`${JSON.stringify(path)}\n`);
  const { done, value } = await answers.next();
  assert.ok(!done, `list-tar.py ended at ${path}`);
  python.unref();
  return rowsOf(value);
}

function startReader() {
  const python = spawn('python3', [SCRIPT], { stdio: ['pipe', 'pipe', 'inherit'], env });
  for (const pipe of [python.stdin, python.stdout]) (pipe as Socket).unref();
  return { python, answers: createInterface({ input: python.stdout })[Symbol.asyncIterator]() };
}

function rowsOf(json: string): Row[] {
  const rows = new Map<string, Row>();
  for (const member of JSON.parse(json) as Member[]) addMember(rows, member);
  return [...rows.values()];
}

/** A member as `list-tar.py` has it. */
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
