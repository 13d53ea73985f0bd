/** What another thread needs to take its turn. */
export type SharedTurnstile = SharedArrayBuffer;

/** Lets one thread at a time through; the others wait, and do nothing else meanwhile: not for the main thread. */
export class Turnstile {
  readonly shared: SharedTurnstile;
  readonly #state: Int32Array;

  constructor(shared: SharedTurnstile = new SharedArrayBuffer(4)) {
    this.shared = shared;
    this.#state = new Int32Array(shared);
  }

  enter(): void {
    while (Atomics.compareExchange(this.#state, 0, 0, 1) !== 0) Atomics.wait(this.#state, 0, 1);
  }

  leave(): void {
    Atomics.store(this.#state, 0, 0);
    Atomics.notify(this.#state, 0, 1);
  }
}
