import { spawn } from 'node:child_process';
import { ioError, printable, throwIfAborted } from '../errors.js';
import type { Libc } from './libc.js';

/** Reads all xattrs of a host file, of a symlink its own. Paths and names are latin1; `way` may lead there sooner than `path`. */
export type XattrReader = (path: string, way?: string) => ReadonlyMap<string, Buffer>;

const NONE: ReadonlyMap<string, Buffer> = new Map();

/**
 * The way this machine has to read the xattrs of the files below a directory (an absolute path): the C library, else the
 * command `getfattr`; undefined where it has neither.
 */
export async function xattrReader(root: string, signal: AbortSignal): Promise<XattrReader | undefined> {
  const { libc } = await import('./libc.js');
  const calls = libc();
  if (calls !== undefined) return (path, way = path) => readXattrs(calls, path, way);
  const reader = await getfattr(root, signal);
  throwIfAborted(signal);
  return reader;
}

function readXattrs(libc: Libc, path: string, way: string): ReadonlyMap<string, Buffer> {
  const file = Buffer.from(way, 'latin1');
  const xattrs = new Map<string, Buffer>();
  try {
    for (const name of libc.llistxattr(file)) xattrs.set(name, Buffer.from(libc.lgetxattr(file, name)));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // ENODATA: removed since it was listed.
    if (code !== 'ENOTSUP' && code !== 'ENODATA') throw ioError(error, `xattrs of ${printable(path)}`);
  }
  return xattrs.size === 0 ? NONE : xattrs;
}

/** Reads all xattrs below a directory at once with `getfattr`; undefined where there is no such command. */
export async function getfattr(root: string, signal: AbortSignal): Promise<XattrReader | undefined> {
  const options = ['-R', '-P', '-h', '-d', '-m', '-', '-e', 'hex', '--absolute-names', '--'];
  const child = spawn('getfattr', [...options, root], { stdio: ['ignore', 'pipe', 'ignore'], signal });
  const ended = new Promise<boolean>((resolve) => {
    child.once('error', () => resolve(false));
    child.once('close', () => resolve(true));
  });
  const files = new Map<string, Map<string, Buffer>>();
  let current = new Map<string, Buffer>();
  for await (const line of lines(child.stdout)) {
    const file = /^# file: (.*)$/s.exec(line)?.[1];
    const [, name, value = ''] = /^([^=]+)(?:=0x([0-9a-f]*))?$/s.exec(line) ?? [];
    if (file !== undefined) {
      current = new Map();
      files.set(unquote(file), current);
    } else if (name !== undefined) current.set(unquote(name), Buffer.from(value, 'hex'));
  }
  return (await ended) ? (path) => files.get(path) ?? NONE : undefined;
}

async function* lines(stream: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of stream) {
    const parts = (rest + chunk.toString('latin1')).split('\n');
    rest = parts.pop()!;
    yield* parts;
  }
}

/** getfattr writes newlines, carriage returns and backslashes in names as `\ooo`. */
function unquote(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
