import { FlattenError } from '../errors.js';
import type { Artifact, Loss } from './sink.js';

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

/** What was written, with the losses that were known before. */
export function withLosses(artifact: Artifact, before: Losses): Artifact {
  before.merge(artifact.losses);
  return { ...artifact, losses: before.list() };
}

function lossError({ kind, example, reason }: Loss): FlattenError {
  return new FlattenError('LOSS', `the output cannot hold its ${kind}: ${reason}`, {
    path: example,
    hint: 'leave {strict} out to write the rest, or choose an output that holds it',
  });
}
