import type { BatchEvent } from '../../fleet/result.js';
import { countText } from '../../size-text.js';
import type { ProgressFlags } from '../progress.js';
import { progressLine, type Standing, showDuration } from '../progress-line.js';

/** Milliseconds between two drawings. */
const INTERVAL = 200;
/** Of a terminal that does not say how large it is. */
const USUAL = { columns: 80, rows: 24 };
/** What an image weighs besides its bytes, for the time that is left: the start of its run takes as long as so many bytes. */
const BASE_WEIGHT = 10e6;
/** Milliseconds before a time that is left means something. */
const PATIENCE = 2000;

interface Running {
  readonly weight: number;
  standing?: Standing;
}

/** Lines on a terminal: one for each image that is being made, and one for all. On anything else, only what is printed. */
export class Board {
  readonly #stream: NodeJS.WriteStream;
  readonly #isLive: boolean;
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #running = new Map<string, Running>();
  #drawn = 0;
  #looked: { done: number; total: number } | undefined;
  #total = 0;
  #ended = 0;
  #failed = 0;
  #weight = 0;
  #weightEnded = 0;
  #start = 0;

  constructor(stream: NodeJS.WriteStream, { quiet = false, progress = true }: ProgressFlags) {
    this.#stream = stream;
    this.#isLive = stream.isTTY === true && !quiet && progress && process.env.TERM !== 'dumb';
    if (this.#isLive) this.#timer = setInterval(() => this.#draw(), INTERVAL).unref();
  }

  tell(event: Exclude<BatchEvent, { type: 'warning' }>): void {
    if (event.type === 'looked') this.#looked = event;
    else if (event.type === 'due') {
      this.#looked = undefined;
      this.#total = event.images;
      this.#weight = event.bytes + event.images * BASE_WEIGHT;
      this.#start = performance.now();
    } else if (event.type === 'begun') this.#running.set(event.output, { weight: event.bytes + BASE_WEIGHT });
    else if (event.event.type === 'progress') {
      const running = this.#running.get(event.output);
      if (running) running.standing = event.event;
    }
  }

  /** An image has ended that was begun. */
  ended(output: string, isFailed: boolean): void {
    const running = this.#running.get(output);
    if (running === undefined) return;
    this.#running.delete(output);
    this.#ended++;
    if (isFailed) this.#failed++;
    this.#weightEnded += running.weight;
  }

  /** Prints lines that stay. */
  print(lines: readonly string[]): void {
    this.#clear();
    for (const line of lines) this.#stream.write(`${line}\n`);
  }

  /** Takes all lines away that do not stay. */
  end(): void {
    clearInterval(this.#timer);
    this.#clear();
  }

  #draw(): void {
    const { columns, rows } = { ...USUAL, ...sizeOf(this.#stream) };
    const room = Math.max(columns - 1, 1); // some terminals go on to the next line once the last column is taken
    const all = [...this.#running].map(([output, { standing }]) => runningLine(output, standing, room));
    const most = Math.max(rows - 2, 1);
    const shown = all.length <= most ? all : [...all.slice(0, most - 1), `and ${all.length - most + 1} more`];
    this.#clear();
    const lines = [...shown, this.#totalLine().slice(0, room)];
    this.#stream.write(lines.join('\n'));
    this.#drawn = lines.length;
  }

  #clear(): void {
    if (this.#drawn === 0) return;
    const up = this.#drawn > 1 ? `\x1b[${this.#drawn - 1}A` : '';
    this.#stream.write(`\r${up}\x1b[J`);
    this.#drawn = 0;
  }

  #totalLine(): string {
    if (this.#looked)
      return `looking at images: ${countText(this.#looked.done)} of ${countText(this.#looked.total)}`;
    const failed = this.#failed > 0 ? [`${countText(this.#failed)} failed`] : [];
    return [`${countText(this.#ended)} of ${countText(this.#total)} images`, ...failed, ...this.#left()].join(
      '  ',
    );
  }

  #left(): string[] {
    const time = performance.now() - this.#start;
    if (this.#weightEnded === 0 || time < PATIENCE) return [];
    const left = (time * Math.max(this.#weight - this.#weightEnded, 0)) / this.#weightEnded;
    return [`${showDuration(left / 1000)} left`];
  }
}

function sizeOf({ columns, rows }: NodeJS.WriteStream): { columns?: number; rows?: number } {
  return { ...(columns && { columns }), ...(rows && { rows }) };
}

/** The end of a name says more than its beginning. */
function runningLine(output: string, standing: Standing | undefined, room: number): string {
  const width = Math.floor(room * 0.45);
  const name = output.length > width ? `…${output.slice(output.length - width + 1)}` : output;
  if (standing === undefined) return `${name}  starting`.slice(0, room);
  const left = room - name.length - 2;
  return left < 6 ? name.slice(0, room) : `${name}  ${progressLine(standing, left + 1)}`;
}
