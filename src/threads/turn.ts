import { setImmediate } from 'node:timers/promises';

const PERIOD_MS = 15;

/** Tells a long synchronous loop when the event loop is due a turn, so that signals and timers still come through. */
export class Turn {
  #last = performance.now();

  due(): boolean {
    return performance.now() - this.#last > PERIOD_MS;
  }

  async give(): Promise<void> {
    await setImmediate();
    this.#last = performance.now();
  }
}
