import { classEnd, classTakes, type Takes } from './glob-class.js';

/**
 * A glob as steps, the first at 0. A step that `takes` a character leads to the one after it; any other leads to all of its
 * `ways` without one. Who comes to `length` is through. The number of steps rises with the glob's length only.
 */
export interface Program {
  readonly takes: readonly (Takes | undefined)[];
  readonly ways: readonly (readonly number[])[];
  readonly length: number;
}

const any: Takes = () => true;
const inName: Takes = (code) => code !== 0x2f;

/** Translates a glob. See {@link pathTest} for what it may hold. */
export function compileGlob(glob: string): Program {
  return new Compiler(Array.from(glob)).compile();
}

/** Braces whose end is yet to come: the step that leads into each choice, and those that lead out of them. */
interface Braces {
  readonly into: number[];
  readonly outOf: number[][];
}

class Compiler {
  readonly #chars: readonly string[];
  /** Where braces and commas stand that mean a choice. */
  readonly #choice: ReadonlySet<number>;
  readonly #takes: (Takes | undefined)[] = [];
  readonly #ways: number[][] = [];
  readonly #open: Braces[] = [];
  #at = 0;

  constructor(chars: readonly string[]) {
    this.#chars = chars;
    this.#choice = choices(chars);
  }

  compile(): Program {
    while (this.#at < this.#chars.length) this.#next();
    return { takes: this.#takes, ways: this.#ways, length: this.#takes.length };
  }

  #next(): void {
    const char = this.#chars[this.#at]!;
    if (this.#choice.has(this.#at)) this.#brace(char);
    else if (char === '*') this.#star();
    else if (char === '[') this.#class();
    else if (char === '/' && this.#isTail()) this.#tail();
    else {
      if (char === '\\' && this.#at + 1 < this.#chars.length) this.#take(is(this.#chars[++this.#at]!));
      else this.#take(char === '?' ? inName : is(char));
      this.#at++;
    }
  }

  get #here(): number {
    return this.#takes.length;
  }

  #take(takes: Takes): void {
    this.#takes.push(takes);
    this.#ways.push([]);
  }

  /** Adds a step that takes nothing. More ways can be added to those it returns. */
  #fork(...ways: number[]): number[] {
    this.#takes.push(undefined);
    this.#ways.push(ways);
    return ways;
  }

  /** Any number of characters. */
  #many(takes: Takes): void {
    const loop = this.#here;
    const ways = this.#fork(loop + 1);
    this.#take(takes);
    this.#fork(loop);
    ways.push(this.#here);
  }

  #brace(char: string): void {
    if (char === '{') {
      const into = this.#fork();
      this.#open.push({ into, outOf: [] });
      into.push(this.#here);
    } else {
      const { into, outOf } = this.#open[this.#open.length - 1]!;
      outOf.push(this.#fork());
      if (char === ',') into.push(this.#here);
      else for (const ways of outOf) ways.push(this.#here);
      if (char === '}') this.#open.pop();
    }
    this.#at++;
  }

  #star(): void {
    const start = this.#at;
    while (this.#chars[this.#at] === '*') this.#at++;
    const isPath = this.#at - start === 2 && this.#isEdge(start - 1) && this.#isEdge(this.#at);
    if (!isPath) this.#many(inName);
    else if (this.#chars[this.#at] !== '/') this.#many(any);
    else {
      const around = this.#fork(this.#here + 1);
      this.#many(any);
      this.#take(is('/'));
      this.#at++;
      around.push(this.#here);
    }
  }

  /** Whether a name begins or ends at a place: with a slash, with a choice, or with the glob. */
  #isEdge(at: number): boolean {
    return this.#chars[at] === undefined || this.#chars[at] === '/' || this.#choice.has(at);
  }

  #class(): void {
    const end = classEnd(this.#chars, this.#at);
    if (end === undefined) this.#take(is('['));
    else this.#take(classTakes(this.#chars.slice(this.#at + 1, end)));
    this.#at = (end ?? this.#at) + 1;
  }

  /** Whether the glob ends here, in a slash and two stars: then the directory is meant too, unless a star stands for it. */
  #isTail(): boolean {
    const at = this.#at;
    const isEnd = this.#chars.length === at + 3 && this.#chars[at + 1] === '*' && this.#chars[at + 2] === '*';
    return isEnd && (this.#chars[at - 1] !== '*' || this.#chars[at - 2] === '\\');
  }

  #tail(): void {
    const around = this.#fork(this.#here + 1);
    this.#take(is('/'));
    this.#many(any);
    around.push(this.#here);
    this.#at += 3;
  }
}

function is(char: string): Takes {
  const wanted = char.codePointAt(0);
  return (code) => code === wanted;
}

/** Where the braces stand that have an end and a comma, with these commas. */
function choices(chars: readonly string[]): ReadonlySet<number> {
  const found = new Set<number>();
  const open: number[][] = [];
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at];
    if (char === '\\') at++;
    else if (char === '[') at = classEnd(chars, at) ?? at;
    else if (char === '{') open.push([at]);
    else if (char === ',') open[open.length - 1]?.push(at);
    else if (char === '}') {
      const places = open.pop() ?? [];
      if (places.length > 1) for (const place of [...places, at]) found.add(place);
    }
  }
  return found;
}
