import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  futimesSync,
  openSync,
  renameSync,
  rmSync,
} from 'node:fs';
import type { Context } from '../context.js';
import { FlattenError } from '../errors.js';
import { unlinkedFile } from '../host/unlinked-file.js';
import type { Digest } from '../oci/digest.js';
import { arrive, type BlobWanted, type FetchBlob } from './arrive.js';
import { Landing } from './landing.js';
import { type Lock, lockIsFree, type TakingOver, tryLock } from './lock.js';
import { isNamed, ownPart, removePart } from './part.js';
import { openPlace, type Place } from './place.js';
import { digestOf, hashFile, hashFor } from './sums.js';
import { closing, Tee } from './tee.js';
import { CacheTrouble, ofCache } from './trouble.js';

/** What a cache needs of a run. */
export type CacheContext = Pick<Context, 'signal' | 'tmp' | 'report'>;

/** A blob in an open file, from its first byte on; whoever asked for it closes the file. */
export interface CachedBlob {
  readonly fd: number;
  /** Whether its digest has been compared just now. */
  readonly isVerified: boolean;
}

/** How {@link BlobCache.open} goes about it. */
export interface OpenBlobOptions {
  /** Compute the digest of what is in the cache already; without it, who reads the blob has to. Default true. */
  readonly verify?: boolean;
}

/** `O_NOFOLLOW`: nobody but this user can put a link there, but a mistake can. */
const READ = constants.O_RDONLY | constants.O_NOFOLLOW;
const ARRIVE = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;

/**
 * Blobs by digest, in a directory that any number of processes share. A blob is fetched by one of them while the others wait for it, and
 * one of those goes on where the first was killed. Entries appear whole, with a rename, once their digest was found right. A cache that cannot be
 * used, or becomes full, costs a warning: blobs then arrive in unlinked temporary files.
 */
export class BlobCache {
  readonly #path: string | undefined;
  readonly #context: CacheContext;
  #place: Place | undefined;
  #isGivenUp = false;

  readonly #takingOver: Pick<TakingOver, 'staleMs'>;

  /** `path` is the cache's directory; undefined for none. */
  constructor(path: string | undefined, context: CacheContext, takingOver: Pick<TakingOver, 'staleMs'> = {}) {
    this.#path = path;
    this.#context = context;
    this.#takingOver = takingOver;
  }

  /** The blob, fetched where it is not there. Throws `DIGEST_MISMATCH` where other bytes come, and what `fetch` throws. */
  async open(blob: BlobWanted, fetch: FetchBlob, options: OpenBlobOptions = {}): Promise<CachedBlob> {
    if (this.#path === undefined || this.#isGivenUp) return this.#aside(blob, fetch);
    try {
      this.#place ??= openPlace(this.#path);
      return await this.#shared(this.#place, blob, fetch, options);
    } catch (error) {
      if (!(error instanceof CacheTrouble)) throw error;
      this.#giveUp(error);
      return this.#aside(blob, fetch);
    }
  }

  /** Whether there is a cache, as far as is known. */
  get isUsed(): boolean {
    return this.#path !== undefined && !this.#isGivenUp;
  }

  /** The open file of a blob that is there; its bytes are not looked at, but for their number. */
  find(blob: BlobWanted): number | undefined {
    return this.#attempt((place) => entryFile(place, blob));
  }

  /** The open file of a blob that is there and has the digest; a damaged one is taken away. */
  async verified(blob: BlobWanted): Promise<number | undefined> {
    const place = this.#attempt((opened) => opened);
    try {
      return place && (await this.#entry(place, blob, true))?.fd;
    } catch (error) {
      if (!(error instanceof CacheTrouble)) throw error;
      this.#giveUp(error);
      return undefined;
    }
  }

  /** Keeps bytes whose digest has been compared, as those of a manifest. */
  async put(digest: Digest, bytes: Uint8Array): Promise<void> {
    if (!this.isUsed) return;
    const kept = this.stream({ digest, size: bytes.length }, async ({ offset }) =>
      only(bytes.subarray(offset)),
    );
    for await (const _ of kept);
  }

  /**
   * The bytes of a blob, from the cache, or while they are fetched into it; what is not kept comes all the same. A blob that another process
   * fetches comes when that one has it. Who reads the bytes compares the digest; the cache keeps none that has another.
   */
  async *stream(blob: BlobWanted, fetch: FetchBlob): AsyncGenerator<Uint8Array> {
    const { signal } = this.#context;
    for (;;) {
      const place = this.#attempt((opened) => opened);
      if (place === undefined) return yield* await fetch({ offset: 0, signal });
      const fd = this.#attempt((opened) => entryFile(opened, blob));
      if (fd !== undefined) return yield* closing(fd);
      const path = place.partial(blob.digest);
      const lock = this.#attempt(() => tryLock(`${path}.lock`));
      if (lock) {
        try {
          return yield* this.#streamed(place, blob, fetch);
        } finally {
          release(lock);
        }
      }
      if (this.isUsed) await this.#waitFor(path);
    }
  }

  async *#streamed(place: Place, blob: BlobWanted, fetch: FetchBlob): AsyncGenerator<Uint8Array> {
    const { signal } = this.#context;
    const before = this.#attempt(() => entryFile(place, blob)); // the one before may have brought it
    if (before !== undefined) return yield* closing(before);
    const path = place.partial(blob.digest);
    const tee = this.#attempt(() => new Tee(path, blob));
    try {
      if (tee) yield* tee.before();
      for await (const chunk of await fetch({ offset: tee?.length ?? 0, signal })) {
        if (tee && !(await tee.add(chunk))) this.#giveUp(tee.trouble!);
        yield chunk;
      }
      if (tee?.isRight() && tee.isNamed) keep(place, blob, path, (trouble) => this.#giveUp(trouble));
    } finally {
      tee?.end();
    }
  }

  /** Waits until nobody fetches a part any more, or the one who does seems to be no more. */
  #waitFor(part: string): Promise<void> {
    const prepare = () => ownPart(part);
    return lockIsFree(`${part}.lock`, this.#context.signal, { ...this.#takingOver, prepare });
  }

  /** Undefined too where the cache cannot be used, of which a warning tells. */
  #attempt<T>(act: (place: Place) => T): T | undefined {
    if (this.#path === undefined || this.#isGivenUp) return undefined;
    try {
      this.#place ??= openPlace(this.#path);
      const place = this.#place;
      return ofCache(() => act(place));
    } catch (error) {
      if (!(error instanceof CacheTrouble)) throw error;
      this.#giveUp(error);
      return undefined;
    }
  }

  /** Takes an entry away that was found to be damaged; the next {@link open} fetches it again. */
  forget(digest: Digest): void {
    if (this.#place) rmSync(this.#place.blob(digest), { force: true });
  }

  async #shared(
    place: Place,
    blob: BlobWanted,
    fetch: FetchBlob,
    { verify = true }: OpenBlobOptions,
  ): Promise<CachedBlob> {
    const path = place.partial(blob.digest);
    for (;;) {
      const known = await this.#entry(place, blob, verify);
      if (known) return known;
      const lock = ofCache(() => tryLock(`${path}.lock`));
      if (lock) {
        try {
          // The one before may have brought it between the look and the lock.
          return (await this.#entry(place, blob, verify)) ?? (await this.#fetch(place, blob, fetch));
        } finally {
          release(lock);
        }
      }
      await this.#waitFor(path);
    }
  }

  /** What is in the cache; undefined where nothing is, or something else, which is taken away. */
  async #entry(place: Place, blob: BlobWanted, verify: boolean): Promise<CachedBlob | undefined> {
    const { digest } = blob;
    const fd = entryFile(place, blob);
    if (fd === undefined) return undefined;
    try {
      if (verify) {
        const hash = hashFor(digest);
        await hashFile(hash, fd, Infinity, this.#context.signal);
        if (digestOf(hash, digest) !== digest) {
          ofCache(() => rmSync(place.blob(digest), { force: true }));
          closeSync(fd);
          return undefined;
        }
      }
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    return { fd, isVerified: verify };
  }

  async #fetch(place: Place, blob: BlobWanted, fetch: FetchBlob): Promise<CachedBlob> {
    const path = place.partial(blob.digest);
    const fd = ofCache(() => openSync(path, ARRIVE, 0o600));
    const landing = new Landing(fd, this.#context.tmp, fstatSync(fd).size, (left) => removePart(path, left));
    try {
      await arrive(blob, landing, fetch, this.#context.signal);
      if (landing.trouble) this.#giveUp(landing.trouble);
      else if (isNamed(path, fd)) keep(place, blob, path, (trouble) => this.#giveUp(trouble));
      return { fd: landing.fd, isVerified: true };
    } catch (error) {
      // A part of it is worth keeping, wrong bytes are not.
      const isWrong = error instanceof FlattenError && error.code === 'DIGEST_MISMATCH';
      if ((isWrong || landing.length === 0) && !landing.trouble) removePart(path, landing.fd);
      landing.close();
      throw error;
    }
  }

  async #aside(blob: BlobWanted, fetch: FetchBlob): Promise<CachedBlob> {
    const landing = new Landing(unlinkedFile(this.#context.tmp), this.#context.tmp, 0);
    try {
      await arrive(blob, landing, fetch, this.#context.signal);
      return { fd: landing.fd, isVerified: true };
    } catch (error) {
      landing.close();
      throw error;
    }
  }

  /** Once a run: the cache is not asked again. */
  #giveUp({ message }: Error): void {
    if (this.#isGivenUp) return;
    this.#isGivenUp = true;
    this.#context.report({
      type: 'warning',
      code: 'NO_CACHE',
      message: `the cache ${this.#path} is not used: ${message}`,
    });
  }
}

/** An open entry of the size that it must have; using it makes it young. */
function entryFile(place: Place, { digest, size }: BlobWanted): number | undefined {
  const path = place.blob(digest);
  let fd: number;
  try {
    fd = openSync(path, READ);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new CacheTrouble((error as Error).message, { cause: error });
  }
  const stat = fstatSync(fd);
  if (!stat.isFile() || stat.size !== (size ?? stat.size) || stat.uid !== process.geteuid?.()) {
    closeSync(fd);
    ofCache(() => rmSync(path, { force: true, recursive: true }));
    return undefined;
  }
  try {
    futimesSync(fd, new Date(), new Date());
  } catch {} // a read-only cache serves all the same
  return fd;
}

/** The blob is good, whether or not it can be kept. */
function keep(place: Place, blob: BlobWanted, path: string, onTrouble: (error: Error) => void): void {
  try {
    renameSync(path, place.blob(blob.digest));
  } catch (error) {
    if (existsSync(place.blob(blob.digest))) return; // somebody else has brought it
    rmSync(path, { force: true });
    onTrouble(error as Error);
  }
}

async function* only(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function release(lock: Lock): void {
  try {
    lock.release();
  } catch {} // its file goes stale
}
