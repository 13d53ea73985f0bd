import { parentPort } from 'node:worker_threads';
import { FlattenError } from '../errors.js';
import { failureOf, type Job, type Message } from './unpack-job.js';
import { perform } from './unpack-perform.js';

/** Stored bytes between two progress messages. */
const STEP = 8 << 20;

parentPort!.on('message', async (job: Job) => {
  let told = 0;
  const onRead = (done: number) => {
    if (done - told < STEP) return;
    tell({ type: 'progress', done });
    told = done;
  };
  try {
    tell({ type: 'done', result: await perform(job, onRead) });
  } catch (error) {
    if (!(error instanceof FlattenError)) throw error; // a bug, which ends the thread
    tell({ type: 'failed', failure: failureOf(error) });
  }
});

function tell(message: Message): void {
  parentPort!.postMessage(message);
}
