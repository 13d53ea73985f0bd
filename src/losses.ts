import { FlattenError } from './errors.js';

/** Something the tree has and the output cannot hold. */
export interface Loss {
  /** `owner`, `device`, `xattr`, `mtime`, …: one line is reported for each. */
  readonly kind: string;
  readonly count: number;
  /** The first path it happened to (latin1), and why. */
  readonly example: string;
  readonly reason: string;
}

/**
 * Counts what an output could not hold, by kind. The example of a kind is its first path in byte order, so that a run
 * with several threads reports what a run with one does.
 */
export class Losses {
  readonly #strict: boolean;
  readonly #kinds = new Map<string, Loss>();

  constructor(options: { readonly strict: boolean }) {
    this.#strict = options.strict;
  }

  /** Counts one loss at `path` (latin1, `''` for the root). Strict: throws `LOSS` instead, naming path and reason. */
  add(kind: string, path: string, reason: string): void {
    this.merge([{ kind, count: 1, example: path || '.', reason }]);
  }

  /** Counts what another thread counted. Strict: throws `LOSS` at the first. */
  merge(losses: Iterable<Loss>): void {
    for (const loss of losses) {
      if (this.#strict) throw lossError(loss);
      const known = this.#kinds.get(loss.kind);
      const first = known === undefined || loss.example < known.example ? loss : known;
      this.#kinds.set(loss.kind, { ...first, count: loss.count + (known?.count ?? 0) });
    }
  }

  /** One for each kind, in byte order of the kinds. */
  list(): readonly Loss[] {
    return [...this.#kinds.values()].sort((a, b) => (a.kind < b.kind ? -1 : 1));
  }
}

function lossError({ kind, example, reason }: Loss): FlattenError {
  return new FlattenError('LOSS', `the output cannot hold its ${kind}: ${reason}`, {
    path: example,
    hint: 'leave {strict} out to write the rest, or choose an output that holds it',
  });
}
