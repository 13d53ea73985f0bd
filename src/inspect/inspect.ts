import { type Start, startOf } from '../oci/start.js';
import { type DiskSizes, diskSizes } from './disk-sizes.js';
import type { History, LayerFacts } from './history.js';
import { type Notable, notableIn } from './notable.js';
import { sameBytes } from './same-file.js';
import { findTwice, type Twice } from './twice.js';
import { type Waste, wasteOf } from './waste.js';

/** How closely an image is looked at. */
export interface InspectOptions {
  /** Read content, too: to tell which files are the same, by their bytes and not by size and time alone. Default false. */
  readonly content?: boolean;
  /** How many of the worst paths are listed. Default 10. */
  readonly worst?: number;
  readonly signal?: AbortSignal;
}

/** What an image is, what it costs, and what in it deserves a look. Paths are latin1. */
export interface Inspection {
  readonly image: History['image'];
  /** How it is started; absent for a root filesystem. */
  readonly start?: Start;
  readonly layers: readonly LayerFacts[];
  readonly tree: {
    readonly entries: number;
    readonly inodes: number;
    /** Of all files, each inode once, holes included. */
    readonly bytes: number;
    readonly holes: number;
  };
  /** Without {@link InspectOptions.content}, what differs in metadata alone is told by size and time. */
  readonly waste: Waste;
  /** Content that the tree has more than once; absent without {@link InspectOptions.content}. It is no waste in the sense of {@link Waste}: the tree shows it. */
  readonly twice?: Twice;
  /** Bytes of the disk images that the tree becomes; absent without {@link InspectOptions.content}, and a format that cannot hold the tree has none. */
  readonly disks?: DiskSizes;
  readonly notable: Notable;
}

/** Looks at an image whose history is known. */
export async function inspect(history: History, options: InspectOptions = {}): Promise<Inspection> {
  const { content = false, worst = 10, signal = new AbortController().signal } = options;
  const { image, layers, tree } = history;
  const { entries, inodes, bytes, holes = 0 } = tree.rootfs;
  return {
    image,
    ...(image.config && { start: startOf(image.config) }),
    layers,
    tree: { entries, inodes, bytes, holes },
    waste: wasteOf(history, worst, content ? sameBytes : undefined),
    ...(content && { twice: await findTwice(history, worst, signal), disks: await diskSizes(history.tree) }),
    notable: notableIn(history),
  };
}
