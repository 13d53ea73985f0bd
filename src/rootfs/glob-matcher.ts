import type { Program } from './glob-program.js';

/** Where a program may be after some characters. */
interface State {
  /** The steps that take the next character, rising. */
  readonly steps: readonly number[];
  readonly isEnd: boolean;
  /** By ASCII character, what comes after it; filled as it is asked for. */
  readonly after: (State | undefined)[];
}

/** States that are remembered: real globs have fewer than a hundred. */
const MAX_STATES = 500;

/**
 * Runs a glob's program over text, all its ways at once: the time is at most the glob's length times the text's, whatever
 * they are, and mostly a look-up a character.
 */
export class GlobMatcher {
  readonly #program: Program;
  readonly #states = new Map<string, State>();
  /** By step, the last walk that came by. */
  readonly #seen: Uint32Array;
  #walk = 0;
  #start: State | undefined;

  constructor(program: Program) {
    this.#program = program;
    this.#seen = new Uint32Array(program.length + 1);
  }

  test(text: string): boolean {
    this.#start ??= this.#reach([0]);
    let state = this.#start;
    for (let at = 0; at < text.length; at++) {
      const code = text.codePointAt(at)!;
      if (code > 0xffff) at++;
      state = state.after[code] ?? this.#step(state, code);
      if (state.steps.length === 0 && !state.isEnd) return false;
    }
    return state.isEnd;
  }

  #step({ steps, after }: State, code: number): State {
    const state = this.#reach(
      steps.filter((step) => this.#program.takes[step]!(code)).map((step) => step + 1),
    );
    if (code < 128) after[code] = state;
    return state;
  }

  /** The state of being at some steps, and wherever these lead without a character. */
  #reach(from: number[]): State {
    const { takes, ways, length } = this.#program;
    const walk = ++this.#walk;
    const steps: number[] = [];
    for (let step = from.pop(); step !== undefined; step = from.pop()) {
      if (this.#seen[step] === walk) continue;
      this.#seen[step] = walk;
      if (step < length && takes[step] === undefined) from.push(...ways[step]!);
      else if (step < length) steps.push(step);
    }
    return this.#state(
      steps.sort((a, b) => a - b),
      this.#seen[length] === walk,
    );
  }

  #state(steps: readonly number[], isEnd: boolean): State {
    const key = `${isEnd} ${steps.join()}`;
    let state = this.#states.get(key);
    if (state === undefined) {
      if (this.#states.size === MAX_STATES) this.#forget();
      state = { steps, isEnd, after: [] };
      this.#states.set(key, state);
    }
    return state;
  }

  #forget(): void {
    this.#states.clear();
    this.#start = undefined;
  }
}
