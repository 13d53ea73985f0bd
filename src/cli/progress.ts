import type { Event } from '../context.js';
import { showSize } from './numbers.js';

/** Milliseconds between two drawings of the line. */
const INTERVAL = 100;

/** One line on a terminal that says how far the run is; on anything else only warnings are printed. */
export class Progress {
  readonly #stream: NodeJS.WriteStream;
  readonly #isQuiet: boolean;
  readonly #isLive: boolean;
  #drawn = 0;
  #hasLine = false;

  constructor(stream: NodeJS.WriteStream, isQuiet: boolean) {
    this.#stream = stream;
    this.#isQuiet = isQuiet;
    this.#isLive = stream.isTTY === true && !isQuiet;
  }

  show(event: Event): void {
    if (event.type === 'warning') {
      this.end();
      if (!this.#isQuiet) this.#stream.write(`flatten: warning: ${event.message}\n`);
      return;
    }
    const now = performance.now();
    if (!this.#isLive || now - this.#drawn < INTERVAL) return;
    this.#drawn = now;
    this.#hasLine = true;
    const what = event.type === 'load' ? `reading layer ${event.layer} of ${event.layers}` : 'writing';
    this.#stream.write(`\r\x1b[K${what.padEnd(24)} ${bar(event.done, event.total)}`);
  }

  /** Takes the line away. */
  end(): void {
    if (this.#hasLine) this.#stream.write('\r\x1b[K');
    this.#hasLine = false;
  }
}

function bar(done: number, total: number): string {
  const part = total > 0 ? Math.min(done / total, 1) : 1;
  const full = Math.round(part * 30);
  const percent = `${Math.round(part * 100)}%`.padStart(4);
  return `[${'#'.repeat(full)}${'.'.repeat(30 - full)}] ${percent}  ${showSize(done)} of ${showSize(total)}`;
}
