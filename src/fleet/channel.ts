/** Values that some work puts in while somebody else takes them out, in the same order. */
export class Channel<T> implements AsyncIterable<T> {
  readonly #values: T[] = [];
  #isOver = false;
  #error: unknown;
  #wake = () => {};

  put(value: T): void {
    this.#values.push(value);
    this.#wake();
  }

  /** No more come: what is still there is taken out, and then the error thrown, if there is one. */
  end(error?: unknown): void {
    this.#isOver = true;
    this.#error = error;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      while (this.#values.length > 0) yield this.#values.shift()!;
      if (this.#isOver) break;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#error !== undefined) throw this.#error;
  }
}
