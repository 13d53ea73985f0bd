import { serve } from '../threads/serve.js';
import type { Job, JobResult } from './job.js';
import { perform } from './perform.js';

/** Stored bytes between two pieces of news. */
const STEP = 8 << 20;

/** Its news are the stored bytes done so far. */
serve<Job, JobResult, number>({
  work(job, tell) {
    let told = 0;
    return perform(job, (done) => {
      if (done - told < STEP) return;
      tell(done);
      told = done;
    });
  },
});
