import type { TestSink } from '../../support/sinks.js';
import type { Form } from '../forms.js';
import type { OutputForm } from '../options.js';

/** A tool of this machine, and how it is asked for the tree of an image. */
export interface Adapter {
  readonly name: string;
  /** Programs that must be here. `root`: uid 0. */
  readonly needs: readonly string[];
  /** A shell line that prints the version. */
  readonly version: string;
  readonly form: Form;
  readonly how: Command | TestSink;
  /** Starts what the command talks to; `place` is an empty directory of its own. Gives variables for the command's environment. */
  readonly start?: (cleanup: Cleanup, place: string) => Promise<Readonly<Record<string, string>>>;
}

/** By a command, as `--run` has it. */
export interface Command {
  readonly run: string;
  readonly after?: string;
  readonly output?: OutputForm;
  /** Names that it adds to every tree. */
  readonly adds?: (path: string) => boolean;
  /** Names whose time it changes by that. */
  readonly touches?: readonly string[];
}

/** What is to be done when the tool is no longer needed, the last first. */
export class Cleanup {
  readonly #todo: (() => unknown)[] = [];

  after(done: () => unknown): void {
    this.#todo.push(done);
  }

  async run(): Promise<void> {
    for (const done of this.#todo.splice(0).reverse()) await done();
  }
}
