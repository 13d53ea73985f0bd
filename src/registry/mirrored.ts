import type { Context } from '../context.js';
import { FlattenError, throwIfAborted } from '../errors.js';
import { formatRegistryReference } from '../oci/registry-reference.js';
import type { WantedBlob } from './blob-from.js';
import type { Place } from './places.js';
import type { FetchedManifest, FetchOptions, Repository } from './repository.js';

/**
 * The images of one name, wherever they are kept: the first place is asked, and one that fails is left for the next, for good, with a warning. A blob goes on
 * there where it stopped. When the last one fails, the error names them all. Close it to end all connections.
 */
export class MirroredRepository {
  readonly #places: readonly Place[];
  readonly #open: (place: Place, isLast: boolean) => Promise<Repository>;
  readonly #report: Context['report'];
  readonly #opened = new Map<number, Promise<Repository>>();
  readonly #failures: string[] = [];
  #at = 0;

  /** `open` opens the repository of a place, when it is asked for the first time. */
  constructor(
    places: readonly Place[],
    open: (place: Place, isLast: boolean) => Promise<Repository>,
    report: Context['report'],
  ) {
    this.#places = places;
    this.#open = open;
    this.#report = report;
  }

  /** As {@link Repository.manifest}. */
  manifest(wanted: string, signal: AbortSignal): Promise<FetchedManifest> {
    return this.#ask((repository) => repository.manifest(wanted, signal), signal);
  }

  /** As {@link Repository.tagged}. */
  tagged(tag: string, signal: AbortSignal): ReturnType<Repository['tagged']> {
    return this.#ask((repository) => repository.tagged(tag, signal), signal);
  }

  /** As {@link Repository.fetchBlob}. */
  async fetchBlob(
    descriptor: WantedBlob,
    { offset = 0, signal }: FetchOptions,
  ): Promise<AsyncIterable<Uint8Array>> {
    const begin = (at: number) =>
      this.#ask((repository) => repository.fetchBlob(descriptor, { offset: at, signal }), signal);
    return this.#chunks(await begin(offset), offset, begin, signal);
  }

  async *#chunks(
    first: AsyncIterable<Uint8Array>,
    offset: number,
    begin: (at: number) => Promise<AsyncIterable<Uint8Array>>,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    let at = offset;
    for (let next = first; ; ) {
      const asked = this.#at;
      try {
        for await (const chunk of next) {
          at += chunk.length;
          yield chunk;
        }
        return;
      } catch (error) {
        this.#leave(asked, error, signal);
        next = await begin(at);
      }
    }
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    const opened = await Promise.allSettled(this.#opened.values());
    await Promise.all(opened.map((each) => each.status === 'fulfilled' && each.value.close()));
  }

  async #ask<T>(act: (repository: Repository) => Promise<T>, signal: AbortSignal): Promise<T> {
    for (;;) {
      const asked = this.#at;
      try {
        return await act(await this.#repository(asked));
      } catch (error) {
        this.#leave(asked, error, signal);
      }
    }
  }

  #repository(at: number): Promise<Repository> {
    const repository = this.#opened.get(at) ?? this.#open(this.#places[at]!, at === this.#places.length - 1);
    this.#opened.set(at, repository);
    return repository;
  }

  /** Goes on to the next place, unless somebody has; throws what the last one has failed with. */
  #leave(asked: number, error: unknown, signal: AbortSignal): void {
    throwIfAborted(signal);
    if (!(error instanceof FlattenError)) throw error;
    const next = this.#places[asked + 1];
    if (next === undefined) throw this.#whole(error);
    if (this.#at !== asked) return;
    this.#at++;
    this.#failures.push(error.message);
    const message = `${error.message}; going on with ${formatRegistryReference(next.reference)}`;
    this.#report({ type: 'warning', code: 'MIRROR', message });
  }

  #whole(error: FlattenError): FlattenError {
    if (this.#failures.length === 0) return error;
    const { hint, cause } = error;
    return new FlattenError(error.code, `${error.what} (before: ${this.#failures.join('; ')})`, {
      cause,
      ...(hint !== undefined && { hint }),
    });
  }
}
