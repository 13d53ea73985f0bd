import { spawn } from 'node:child_process';
import type { Context } from '../context.js';
import { ioError } from '../errors.js';
import { NO_XATTRS } from '../rootfs/node.js';
import type { Libc } from './libc.js';

/** Reads all xattrs of a host file, a symlink's own included. Paths and names are latin1. */
export type XattrReader = (path: string) => ReadonlyMap<string, Buffer>;

/**
 * The way this machine has to read the xattrs of the files below a directory: the C library, else the command
 * `getfattr`, else none, which is reported as a warning.
 */
export async function xattrReader(root: string, context: Context): Promise<XattrReader> {
  const { libc } = await import('./libc.js');
  const calls = libc();
  if (calls !== undefined) return (path) => readXattrs(calls, path);
  const dumped = await dump(root, context.signal);
  if (dumped !== undefined) return (path) => dumped.get(path) ?? NO_XATTRS;
  context.report({
    type: 'warning',
    message: `${root}: xattrs are not read: install the optional package koffi, or the command getfattr`,
  });
  return () => NO_XATTRS;
}

function readXattrs(libc: Libc, path: string): ReadonlyMap<string, Buffer> {
  const file = Buffer.from(path, 'latin1');
  const xattrs = new Map<string, Buffer>();
  try {
    for (const name of libc.llistxattr(file)) xattrs.set(name, Buffer.from(libc.lgetxattr(file, name)));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOTSUP' && code !== 'ENODATA') throw ioError(error, `reading the xattrs of ${path}`);
  }
  return xattrs.size === 0 ? NO_XATTRS : xattrs;
}

/** All xattrs below a directory by path, as `getfattr` prints them; undefined where there is no such command. */
async function dump(root: string, signal: AbortSignal): Promise<Map<string, Map<string, Buffer>> | undefined> {
  const files = new Map<string, Map<string, Buffer>>();
  let current = new Map<string, Buffer>();
  const child = spawn('getfattr', ['-R', '-P', '-h', '-d', '-m', '-', '-e', 'hex', '--absolute-names', '--', root], {
    stdio: ['ignore', 'pipe', 'ignore'],
    signal,
  });
  const ended = new Promise<boolean>((resolve) => {
    child.once('error', () => resolve(false));
    child.once('close', () => resolve(true));
  });
  for await (const line of lines(child.stdout)) {
    const [, file] = /^# file: (.*)$/s.exec(line) ?? [];
    const [, name, value = ''] = /^([^=]+)(?:=0x([0-9a-f]*))?$/s.exec(line) ?? [];
    if (file !== undefined) files.set(unquote(file), (current = new Map()));
    else if (name !== undefined) current.set(unquote(name), Buffer.from(value, 'hex'));
  }
  return (await ended) ? files : undefined;
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
