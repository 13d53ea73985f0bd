import { createGunzip, type Gunzip } from 'node:zlib';
import { FlattenError } from '../errors.js';
import { release } from '../threads/release.js';

/** Small chunks halve the speed: each is a trip to the thread pool and back. */
const CHUNK = 1 << 20;

/**
 * Inflates gzip members that stand one after another (RFC 1952 2.2). Zeros behind the last are no error; `input` is read
 * to its end all the same. A chunk of `input` is done with when the next is asked for; `sink` may keep nothing.
 */
export async function gunzip(input: Iterable<Buffer>, sink: (bytes: Buffer) => void): Promise<void> {
  const stream = createGunzip({ chunkSize: CHUNK });
  const ended = new Promise<void>((resolve, reject) => {
    stream.once('end', resolve).once('error', reject);
  });
  const waiting: Buffer[] = [];
  const empty = () => {
    for (const chunk of waiting.splice(0)) {
      sink(chunk);
      if (isFull(chunk)) release(chunk);
    }
  };
  stream.on('data', (chunk: Buffer) => {
    // Not at once: when this listener returns, the thread pool inflates the next chunk while the sink takes this one.
    if (waiting.push(chunk) === 1) setImmediate(() => orDestroy(stream, empty));
  });
  try {
    await feed(stream, input, ended);
    empty();
  } catch (error) {
    throw gzipError(error);
  } finally {
    waiting.length = 0; // the sink may be gone when a pending turn comes
    stream.destroy();
  }
}

/** Writes all of `input`; resolves when the stream has ended. */
async function feed(stream: Gunzip, input: Iterable<Buffer>, ended: Promise<void>): Promise<void> {
  let over = false;
  ended.then(
    () => {
      over = true;
    },
    () => {},
  );
  for (const chunk of input) {
    // At the zeros behind the last member the stream ends, and no longer says when it is done with a chunk.
    if (!over) await Promise.race([new Promise<void>((done) => stream.write(chunk, () => done())), ended]);
  }
  if (!over) stream.end();
  await ended;
}

/** Whether a chunk ends its buffer; until then the stream goes on filling it. */
function isFull({ buffer, byteOffset, length }: Buffer): boolean {
  return byteOffset + length === CHUNK && buffer.byteLength === CHUNK;
}

function orDestroy(stream: Gunzip, act: () => void): void {
  try {
    act();
  } catch (error) {
    stream.destroy(error as Error);
  }
}

function gzipError(error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'Z_BUF_ERROR') return new FlattenError('BAD_LAYER', 'the gzip data is cut short');
  if (code === 'Z_DATA_ERROR' || code === 'Z_NEED_DICT') {
    return new FlattenError('BAD_LAYER', `the gzip data is corrupt (${message})`);
  }
  return error;
}
