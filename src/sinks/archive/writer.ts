import { fstatSync, write } from 'node:fs';
import { FlattenError, throwIfAborted } from '../../errors.js';

/** Writes bytes behind those of the call before; resolves when all are written. */
export type WriteBytes = (bytes: Uint8Array) => Promise<void>;

/** The same, for callers that do not wait: each call begins when the one before is done, and fails if that has failed. */
export function inTurn(write: WriteBytes): WriteBytes {
  let last: Promise<void> = Promise.resolve();
  return (bytes) => {
    last = last.then(() => write(bytes));
    return last;
  };
}

/** Writes at a descriptor's own position, on a thread of the pool. For files: it knows no `EAGAIN`. One call at a time. */
export function toDescriptor(fd: number): WriteBytes {
  return async (bytes) => {
    for (let done = 0; done < bytes.length; ) done += await writeSome(fd, bytes.subarray(done));
  };
}

function writeSome(fd: number, bytes: Uint8Array): Promise<number> {
  return new Promise((resolve, reject) => {
    write(fd, bytes, 0, bytes.length, null, (error, written) => (error ? reject(error) : resolve(written)));
  });
}

/**
 * Writes to standard output. Rejects with the system's error, `EPIPE` among them, and with `INTERRUPTED` as soon as the
 * signal is aborted, though the reader may be asleep.
 *
 * Pipes and sockets go through the stream: it waits for a slow reader without a thread, which would keep an interrupted
 * process from its exit. Files do not: Node's stream for them drops what a nearly full disk did not take.
 */
export function toStandardOutput(signal: AbortSignal): WriteBytes {
  const kind = fstatSync(1);
  return kind.isFIFO() || kind.isSocket() ? toStream(process.stdout, signal) : toDescriptor(1);
}

function toStream(stream: NodeJS.WritableStream, signal: AbortSignal): WriteBytes {
  return (bytes) =>
    new Promise((resolve, reject) => {
      throwIfAborted(signal);
      const interrupted = () =>
        reject(new FlattenError('INTERRUPTED', 'interrupted', { cause: signal.reason }));
      signal.addEventListener('abort', interrupted);
      // An error comes twice: to the callback and then, on a later tick, as an event that would be fatal unheard.
      const ignore = () => {};
      stream.once('error', ignore);
      stream.write(bytes, (error) => {
        signal.removeEventListener('abort', interrupted);
        setImmediate(() => stream.off('error', ignore));
        if (error) reject(error);
        else resolve();
      });
    });
}
