import type { File, LayerFile, Segment } from '../../rootfs/node.js';
import { packNames, sharedFloat64, sharedUint32 } from '../../threads/shared.js';
import { NO_ID } from './owners.js';
import type { Named } from './plan.js';
import { splitTime } from './times.js';

/** Set in `mode`: permissions come later, once the xattrs are set. The file is made with mode 0600. */
export const MODE_LATER = 0x10000;

/** Numbers for each run of a sparse file. */
export const RUN = 3;

/** Files to write, a column for each property, shared by all threads: 100,000 objects would be slow to send. */
export interface FileTable {
  readonly length: number;
  readonly directory: Uint32Array;
  readonly names: Uint8Array;
  /** Of each name in `names`. */
  readonly ends: Uint32Array;
  /** With {@link MODE_LATER}. */
  readonly mode: Uint32Array;
  readonly uid: Uint32Array;
  readonly gid: Uint32Array;
  readonly seconds: Float64Array;
  readonly nanos: Uint32Array;
  /** An index of `layers`. */
  readonly layer: Uint32Array;
  readonly offset: Float64Array;
  readonly size: Float64Array;
  /** `file` of each layer. */
  readonly layers: readonly LayerFile['file'][];
  /** Sparse files only, by row: start and length of each run, and where it lies in the layer. */
  readonly runs: ReadonlyMap<number, Float64Array>;
}

export function packFiles(files: readonly Named<File>[]): FileTable {
  const count = files.length;
  const layers = new Map<LayerFile, number>();
  const runs = new Map<number, Float64Array>();
  const table = {
    length: count,
    directory: sharedUint32(count),
    ...packNames(files.map(({ name }) => name)),
    mode: sharedUint32(count),
    uid: sharedUint32(count),
    gid: sharedUint32(count),
    seconds: sharedFloat64(count),
    nanos: sharedUint32(count),
    layer: sharedUint32(count),
    offset: sharedFloat64(count),
    size: sharedFloat64(count),
  };
  for (let row = 0; row < count; row++) {
    const { directory, node } = files[row]!;
    const { meta, content } = node;
    const { seconds, nanos } = splitTime(meta.mtime);
    if (!layers.has(content.layer)) layers.set(content.layer, layers.size);
    table.directory[row] = directory;
    table.mode[row] = meta.mode | (meta.xattrs.size > 0 ? MODE_LATER : 0);
    table.uid[row] = Math.min(meta.uid, NO_ID);
    table.gid[row] = Math.min(meta.gid, NO_ID);
    table.seconds[row] = seconds;
    table.nanos[row] = nanos;
    table.layer[row] = layers.get(content.layer)!;
    table.offset[row] = content.offset;
    table.size[row] = content.size;
    if (content.segments !== undefined) {
      runs.set(row, packRuns(content.offset, content.segments));
    }
  }
  return { ...table, layers: [...layers.keys()].map(({ file }) => file), runs };
}

function packRuns(offset: number, segments: readonly Segment[]): Float64Array {
  const packed = new Float64Array(segments.length * RUN);
  let next = offset;
  for (const [i, { start, length, at = next }] of segments.entries()) {
    packed.set([start, length, at], i * RUN);
    next = at + length;
  }
  return packed;
}
