import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import type { Context } from '../context.js';
import { FlattenError, ioError, throwIfAborted } from '../errors.js';
import type { ByteRange } from '../layer/layer.js';
import { unlinkedFile, writeAll } from '../layer/unpack-file.js';

/** Standard input as a file: itself where a file was redirected to it, else a temporary copy. The caller closes it. */
export async function standardInput(context: Context): Promise<ByteRange> {
  if (process.stdin.isTTY) {
    throw new FlattenError('USAGE', 'standard input: is a terminal, not an image', {
      hint: 'docker save NAME | flatten - -o rootfs/',
    });
  }
  if (isDirectory(0)) {
    throw new FlattenError('USAGE', 'standard input: is a directory, not a file', {
      hint: 'name it: flatten DIR -o rootfs/',
    });
  }
  return redirected() ?? spool(process.stdin, 'standard input', context);
}

/**
 * A fifo as a file: a temporary copy. The caller closes it.
 *
 * To open it must not wait for somebody who writes to it, as that keeps a thread, and with it the process from its exit;
 * a socket waits for the first writer by the event loop.
 */
export function pipe(path: string, context: Context): Promise<ByteRange> {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw ioError(error, `opening ${path}`);
  }
  return spool(new Socket({ fd, readable: true, writable: false }), path, context);
}

/** Copies a stream to an unlinked temporary file, within `maxSize`. */
export async function spool(stream: Readable, name: string, context: Context): Promise<ByteRange> {
  throwIfAborted(context.signal); // what is aborted already tells no listener
  const fd = unlinkedFile(context.tmp);
  const stop = () => stream.destroy();
  context.signal.addEventListener('abort', stop, { once: true });
  try {
    let length = 0;
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      throwIfAborted(context.signal);
      if (length + chunk.length > context.limits.maxSize) {
        throw new FlattenError('LIMIT', `${name}: has more than ${context.limits.maxSize} bytes`, {
          hint: '--max-size raises the limit',
        });
      }
      writeAll(fd, chunk, length);
      length += chunk.length;
    }
    throwIfAborted(context.signal);
    return { fd, offset: 0, length };
  } catch (error) {
    closeSync(fd);
    stream.destroy();
    throwIfAborted(context.signal);
    throw ioError(error, `reading ${name}`);
  } finally {
    context.signal.removeEventListener('abort', stop);
  }
}

function isDirectory(fd: number): boolean {
  try {
    return fstatSync(fd).isDirectory();
  } catch {
    return false;
  }
}

/** The file that standard input is, if nobody has read from it yet; undefined where the system does not say. */
function redirected(): ByteRange | undefined {
  try {
    const stat = fstatSync(0);
    if (!stat.isFile() || !/^pos:\s*0$/m.test(readFileSync('/proc/self/fdinfo/0', 'latin1')))
      return undefined;
    return { fd: openSync('/proc/self/fd/0', 'r'), offset: 0, length: stat.size };
  } catch {
    return undefined;
  }
}
