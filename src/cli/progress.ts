import type { Command } from 'commander';
import type { RunEvent } from '../context.js';
import { progressLine, type Standing } from './progress-line.js';
import { Speed } from './speed.js';
import { inWords } from './words.js';

/** Milliseconds between two drawings of the line. */
const INTERVAL = 100;
/** Of a terminal that does not say how wide it is. */
const USUAL_COLUMNS = 80;
const CLEAR = '\r\x1b[K';

/** Options of every command that takes its time, as commander gives them. */
export interface ProgressFlags {
  readonly quiet?: boolean;
  /** `--no-progress`: false. */
  readonly progress?: boolean;
}

/** Adds the option that says whether progress is shown. */
export function addProgressOption(command: Command): Command {
  return command.option('--no-progress', 'Do not show progress on the terminal');
}

/** One line on a terminal that says how far the run is; on anything else only warnings are printed. */
export class Progress {
  readonly #stream: NodeJS.WriteStream;
  readonly #isQuiet: boolean;
  readonly #isLive: boolean;
  readonly #onResize = () => this.#draw();
  #standing: Standing | undefined;
  #speed = new Speed(0);
  #drawn = 0;
  #hasLine = false;

  constructor(stream: NodeJS.WriteStream, { quiet = false, progress = true }: ProgressFlags) {
    this.#stream = stream;
    this.#isQuiet = quiet;
    this.#isLive = stream.isTTY === true && !quiet && progress && process.env.TERM !== 'dumb';
    if (this.#isLive) stream.on('resize', this.#onResize);
  }

  show(event: RunEvent): void {
    if (event.type === 'warning') {
      this.#clear();
      if (!this.#isQuiet) this.#stream.write(`flatten: warning: ${inWords(event.message)}\n`);
      return;
    }
    if (!this.#isLive) return;
    const now = performance.now();
    const isNew = event.phase !== this.#standing?.phase || event.done < this.#standing.done;
    if (isNew) this.#speed = new Speed(now);
    this.#speed.at(now, event.done);
    const { phase, done, total, layer, layers } = event;
    this.#standing = { phase, done, total, layer, layers, rate: this.#speed.rate };
    if (isNew || now - this.#drawn >= INTERVAL) this.#draw();
  }

  /** Takes the line away, and shows no more. */
  end(): void {
    this.#clear();
    this.#standing = undefined;
    this.#stream.off('resize', this.#onResize);
  }

  #draw(): void {
    if (this.#standing === undefined) return;
    this.#drawn = performance.now();
    this.#hasLine = true;
    this.#stream.write(CLEAR + progressLine(this.#standing, this.#stream.columns || USUAL_COLUMNS));
  }

  #clear(): void {
    if (this.#hasLine) this.#stream.write(CLEAR);
    this.#hasLine = false;
  }
}
