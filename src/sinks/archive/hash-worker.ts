import { createHash } from 'node:crypto';
import { serve } from '../../threads/serve.js';

/** What `ThreadHash` sends: bytes to hash, or `digest`, which is answered with the hex digest. */
export type HashRequest = Uint8Array | 'digest';

const hash = createHash('sha256');

serve<HashRequest, string>({
  work(request) {
    if (request === 'digest') return hash.digest('hex');
    hash.update(request);
    return '';
  },
});
