import type { Context, Phase } from './context.js';

/** Bytes between two events: of many small steps not each is told. */
const STEP = 64 * 1024;

/**
 * Tells how far a phase is: from its first byte to its last, never back, and never beyond the total. Steps of less than
 * 64 KiB are told together.
 */
export class Meter {
  readonly #report: Context['report'];
  readonly #phase: Phase;
  readonly #total: number | undefined;
  #done = 0;
  #told = 0;
  #isOver = false;

  /** `total` is absent where nobody knows it yet, as of a stream. */
  constructor({ report }: Pick<Context, 'report'>, phase: Phase, total?: number) {
    this.#report = report;
    this.#phase = phase;
    this.#total = total;
    this.#tell(total);
  }

  /** So many bytes are done; `more` says of which layer. */
  at(done: number, more?: { readonly layer: number; readonly layers: number }): void {
    this.#done = Math.min(Math.max(done, this.#done), this.#total ?? Number.POSITIVE_INFINITY);
    if (!this.#isOver && this.#done - this.#told >= STEP) this.#tell(this.#total, more);
  }

  /** So many bytes more are done. */
  add(bytes: number): void {
    this.at(this.#done + bytes);
  }

  /** All is done. Harmless when it was before. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#done = this.#total ?? this.#done;
    this.#tell(this.#done);
  }

  #tell(total: number | undefined, more?: { readonly layer: number; readonly layers: number }): void {
    this.#told = this.#done;
    const event = { type: 'progress', phase: this.#phase, done: this.#done } as const;
    this.#report({ ...event, ...(total !== undefined && { total }), ...more });
  }
}
