import { createHash } from 'node:crypto';
import { parentPort } from 'node:worker_threads';

/** What {@link ThreadHash} sends: bytes to hash, each answered when done with, or `end`, answered with the hex digest. */
export type HashRequest = Uint8Array | 'end';

const hash = createHash('sha256');

parentPort!.on('message', (request: HashRequest) => {
  if (request !== 'end') hash.update(request);
  parentPort!.postMessage(request === 'end' ? hash.digest('hex') : null);
});
