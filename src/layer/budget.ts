import { DEFAULT_LIMITS, type Limits } from '../context.js';
import { FlattenError } from '../errors.js';
import { heapForTree, isHeapFull } from '../host/heap.js';
import { countText, sizeText } from '../size-text.js';
import type { TarEntry } from '../tar/entry.js';
import { maxMetadata, metadataOf } from '../tar/footprint.js';

/** The entries, and the bytes of metadata, at the first look at the heap; each later one comes when there is a sixteenth more. */
const FIRST_LOOK = { entries: 4096, metadata: 2 ** 20 };

/** The most bytes of symlink targets that are followed to find where entries belong. Honest images follow a few thousand. */
export const MAX_FOLLOWED = 32 * 2 ** 20;

/** Counts what an image's layers ask for against its limits; passing one is a `LIMIT` error. One serves all layers of an image. */
export class Budget {
  #limits: Limits;
  #entries = 0;
  #size = 0;
  #metadata = 0;
  #followed = 0;
  /** When to look at the heap again. */
  #look = FIRST_LOOK;

  constructor(limits: Limits = DEFAULT_LIMITS) {
    this.#limits = limits;
  }

  /** Goes on with other limits: what the user adds is not bounded by the image's size. */
  continueWith(limits: Limits): void {
    this.#limits = limits;
  }

  /** Takes an entry. */
  take(entry: TarEntry): void {
    const { path } = entry;
    this.#takeEntry(path);
    this.#size += entry.size;
    if (this.#size > this.#limits.maxSize) {
      throw limit(path, `files of more than ${sizeText(this.#limits.maxSize)} together`, '{maxSize}');
    }
    this.#takeMetadata(metadataOf(entry), path);
  }

  /** Takes what symlinks make an entry's path longer by: outputs have it whole. */
  detour(bytes: number, path: string): void {
    this.#takeMetadata(bytes, path);
  }

  /** Takes a directory that has no entry of its own: a short archive can imply very many. */
  imply(path: string): void {
    this.#takeEntry(path);
  }

  /** Takes the way through a symlink. */
  follow(target: string, path: string): void {
    this.#followed += target.length + 1;
    if (this.#followed > MAX_FOLLOWED) {
      throw limit(path, `paths lead through symlinks of more than ${sizeText(MAX_FOLLOWED)} together`);
    }
  }

  #takeMetadata(bytes: number, path: string): void {
    this.#metadata += bytes;
    const most = maxMetadata(this.#limits);
    if (this.#metadata > most) {
      throw limit(path, `headers, names and xattrs of more than ${sizeText(most)} together`, '{maxEntries}');
    }
    if (this.#metadata >= this.#look.metadata) this.#lookAtHeap(path);
  }

  #takeEntry(path: string): void {
    if (++this.#entries > this.#limits.maxEntries) {
      throw limit(path, `more than ${countText(this.#limits.maxEntries)} entries`, '{maxEntries}');
    }
    if (this.#entries >= this.#look.entries) this.#lookAtHeap(path);
  }

  #lookAtHeap(path: string): void {
    this.#look = {
      entries: Math.max(FIRST_LOOK.entries, this.#entries * (17 / 16)),
      metadata: Math.max(FIRST_LOOK.metadata, this.#metadata * (17 / 16)),
    };
    if (!isHeapFull()) return;
    throw new FlattenError(
      'LIMIT',
      `the names so far take the ${sizeText(heapForTree())} of Node's heap that are for them`,
      {
        path: shortened(path),
        hint: 'if you trust the image, give Node more: NODE_OPTIONS=--max-old-space-size=8192 flatten …',
      },
    );
  }
}

function limit(path: string, what: string, option?: string): FlattenError {
  const hint = option && `if you trust the image, raise the bound with ${option}`;
  return new FlattenError('LIMIT', what, { path: shortened(path), ...(hint && { hint }) });
}

function shortened(path: string): string {
  return path.length > 200 ? `${path.slice(0, 200)}…` : path;
}
