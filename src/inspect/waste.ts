import { byBytes } from '../rootfs/walk.js';
import { type Hidden, hiddenFiles, type SameFile, type Why } from './hidden.js';
import type { History } from './history.js';

/** Files, and their stored bytes together. */
export interface FileSum {
  readonly files: number;
  readonly bytes: number;
}

/** What the layers of an image carry and its tree does not show. */
export interface Waste extends FileSum {
  /** Bytes of the files of all layers: those that show, and the waste. */
  readonly carried: number;
  readonly by: Readonly<Record<Why, FileSum>>;
  /** What each layer carries in vain, base first. */
  readonly ofLayers: readonly number[];
  /** The largest, by path: names that are hidden in several layers are one. */
  readonly worst: readonly WastedPath[];
}

/** All that is hidden at one path. */
export interface WastedPath extends FileSum {
  /** Latin1. */
  readonly path: string;
  readonly hidden: readonly Hidden[];
}

/** Adds up the waste; `worst` is how many paths are listed. */
export function wasteOf(history: History, worst: number, sameFile?: SameFile): Waste {
  const by: Record<Why, { files: number; bytes: number }> = {
    overwritten: { files: 0, bytes: 0 },
    removed: { files: 0, bytes: 0 },
    metadata: { files: 0, bytes: 0 },
    bookkeeping: { files: 0, bytes: 0 },
  };
  const ofLayers = history.layers.map(() => 0);
  const paths = new Map<string, { path: string; files: number; bytes: number; hidden: Hidden[] }>();
  for (const one of hiddenFiles(history, sameFile)) {
    const { path, layer, bytes, why } = one;
    by[why].files++;
    by[why].bytes += bytes;
    ofLayers[layer - 1]! += bytes;
    const known = paths.get(path) ?? { path, files: 0, bytes: 0, hidden: [] };
    known.files++;
    known.bytes += bytes;
    known.hidden.push(one);
    paths.set(path, known);
  }
  const sums = Object.values(by);
  const sorted = [...paths.values()].sort((a, b) => b.bytes - a.bytes || byBytes(a.path, b.path));
  return {
    files: sums.reduce((sum, { files }) => sum + files, 0),
    bytes: sums.reduce((sum, { bytes }) => sum + bytes, 0),
    carried: history.layers.reduce((sum, { bytes }) => sum + bytes, 0),
    by,
    ofLayers,
    worst: sorted.slice(0, worst),
  };
}
