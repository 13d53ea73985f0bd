/** Seconds within which the rate forgets half of what was. */
const HALF_LIFE = 2;
/** Seconds before a rate means something. */
const PATIENCE = 1.5;

/** The speed of something that goes on, smoothed: bytes a second. */
export class Speed {
  readonly #start: number;
  #time: number;
  #done = 0;
  #rate = 0;
  #weight = 0;

  /** Times are milliseconds of one clock. */
  constructor(start: number) {
    this.#start = start;
    this.#time = start;
  }

  /** So many bytes were done at that time. */
  at(time: number, done: number): void {
    const seconds = (time - this.#time) / 1000;
    if (seconds <= 0) return;
    const kept = 0.5 ** (seconds / HALF_LIFE);
    this.#rate = this.#rate * kept + ((done - this.#done) / seconds) * (1 - kept);
    this.#weight = this.#weight * kept + (1 - kept);
    this.#time = time;
    this.#done = done;
  }

  /** Undefined in the first moments, and where nothing moves. */
  get rate(): number | undefined {
    if (this.#time - this.#start < PATIENCE * 1000 || this.#weight === 0) return undefined;
    const rate = this.#rate / this.#weight; // what was before the start weighs nothing
    return rate < 1 ? undefined : rate;
  }
}
