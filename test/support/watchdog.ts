import { Worker } from 'node:worker_threads';

/** Ends this process, and says with which seed, where one seed takes longer than `longest` milliseconds: a loop without end blocks all else. */
export class Watchdog {
  readonly #seed = new Int32Array(new SharedArrayBuffer(4));
  readonly #worker: Worker;

  constructor(longest: number) {
    const program = `
      const { workerData: { seed, longest } } = require('node:worker_threads');
      let last = -1;
      setInterval(() => {
        if (seed[0] === last) {
          require('node:fs').writeSync(2, 'seed ' + last + ' takes too long\\n');
          process.kill(process.pid, 'SIGKILL');
        }
        last = seed[0];
      }, longest);`;
    this.#worker = new Worker(program, { eval: true, workerData: { seed: this.#seed, longest } });
    this.#worker.unref();
  }

  /** To be called before each seed. */
  begin(seed: number): void {
    this.#seed[0] = seed;
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}
