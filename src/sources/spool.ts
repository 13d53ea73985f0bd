import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { decompressStream } from '../compression/decompress-stream.js';
import type { Context } from '../context.js';
import { FlattenError, ioError, throwIfAborted } from '../errors.js';
import type { ByteRange } from '../host/bytes.js';
import { unlinkedFile } from '../host/unlinked-file.js';
import { InputBounds } from '../layer/input-bounds.js';
import { Meter } from '../meter.js';
import { foreignFile } from './foreign-file.js';

/** Standard input as a file: itself where a file was redirected to it, else as {@link spool} unpacks it. The caller closes it. */
export async function standardInput(context: Context, bounds?: InputBounds): Promise<ByteRange> {
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
  return redirected(bounds) ?? spool(process.stdin, 'standard input', context, bounds);
}

/**
 * A fifo as a file, as {@link spool} unpacks it. The caller closes it.
 *
 * To open it must not wait for somebody who writes to it, as that keeps a thread, and with it the process from its exit;
 * a socket waits for the first writer by the event loop.
 */
export function pipe(path: string, context: Context, bounds?: InputBounds): Promise<ByteRange> {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw ioError(error, `opening ${path}`);
  }
  return spool(new Socket({ fd, readable: true, writable: false }), path, context, bounds);
}

/**
 * Unpacks a stream that should be a tar, and may be compressed, into an unlinked temporary file, and looks at it on the
 * way: what is no tar is refused at its first wrong header. `total` is asked when the first bytes are there: how many there will be. The
 * caller closes the file.
 */
export async function spool(
  stream: Readable,
  name: string,
  context: Context,
  bounds = new InputBounds(context.limits),
  total: () => number | undefined = () => undefined,
): Promise<ByteRange> {
  throwIfAborted(context.signal); // what is aborted already tells no listener
  const fd = unlinkedFile(context.tmp);
  const stop = () => stream.destroy();
  context.signal.addEventListener('abort', stop, { once: true });
  try {
    await decompressStream(counted(stream, context, bounds, total), fd, { context, bounds, stop });
    throwIfAborted(context.signal);
    return { fd, offset: 0, length: fstatSync(fd).size };
  } catch (error) {
    stream.destroy();
    try {
      throwIfAborted(context.signal);
      if (!(error instanceof FlattenError)) throw ioError(error, `reading ${name}`);
      throw ofArchive(error, name, { fd, offset: 0, length: fstatSync(fd).size });
    } finally {
      closeSync(fd);
    }
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

/** An error of what an archive is stored as, said of the archive; `content` is what there is of it, uncompressed. */
export function ofArchive(error: FlattenError, name: string, content: ByteRange): FlattenError {
  const { code, what, path, message } = error;
  if (code === 'INTERRUPTED') return error;
  if (code !== 'BAD_LAYER') return error.inLayer(name);
  const isNone = path === undefined && /^no tar(:|,| header here.*\(at byte 0\)$)/.test(what);
  if (isNone) return foreignFile(name, content, error);
  return new FlattenError('BAD_IMAGE', `${name}: ${message}`, { cause: error });
}

async function* counted(
  stream: Readable,
  context: Context,
  bounds: InputBounds,
  total: () => number | undefined,
): AsyncGenerator<Buffer> {
  let meter: Meter | undefined;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    throwIfAborted(context.signal);
    meter ??= new Meter(context, 'open', total());
    bounds.add(chunk.length);
    yield chunk;
    meter.add(chunk.length);
  }
  meter?.end();
}

/** The file that standard input is, if nobody has read from it yet; undefined where the system does not say. */
function redirected(bounds: InputBounds | undefined): ByteRange | undefined {
  try {
    const stat = fstatSync(0);
    if (!stat.isFile() || !/^pos:\s*0$/m.test(readFileSync('/proc/self/fdinfo/0', 'latin1')))
      return undefined;
    const fd = openSync('/proc/self/fd/0', 'r');
    bounds?.add(stat.size);
    return { fd, offset: 0, length: stat.size };
  } catch {
    return undefined;
  }
}
