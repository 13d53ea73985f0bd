import { closeSync, constants, fchmodSync, fstatSync, ftruncateSync, openSync } from 'node:fs';
import { writeAll } from '../../host/bytes.js';
import { ContentReader } from '../../layer/content.js';
import { StoredWindow } from '../../layer/stored-window.js';
import type { Losses } from '../../losses.js';
import type { LayerFile } from '../../rootfs/node.js';
import { inPath } from './failure.js';
import { type FileTable, MODE_LATER, RUN } from './file-table.js';
import { Owners } from './owners.js';
import { type DirectoryTable, Paths } from './paths.js';
import { permitted } from './permitted.js';
import type { Born } from './probe.js';
import { Setuid } from './setuid.js';
import type { Clock } from './times.js';

/** The files of a tree, and where they go. The directories are there. */
export interface FileJob {
  readonly files: FileTable;
  readonly directories: DirectoryTable;
  /** The host path of the tree's root. */
  readonly root: string;
  readonly born: Born;
  readonly keepSetuid: boolean;
}

const WINDOW = 1 << 20;
/** Between two files that are read at once: what lies there is read too, and dropped. */
const MAX_GAP = 64 * 1024;
const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/**
 * Writes files with synchronous calls; neighbouring small ones are read with one large read. Owner, mode and times are set
 * through the open file, in the one order that keeps all: writing clears setuid and so does chown, chmod comes after.
 */
export class FileWriter {
  readonly #files: FileTable;
  readonly #born: Born;
  readonly #paths: Paths;
  readonly #owners: Owners;
  readonly #setuid: Setuid;
  readonly #losses: Losses;
  readonly #clock: Clock;
  readonly #layers: readonly LayerFile[];
  readonly #reader = new ContentReader();
  readonly #window = new StoredWindow(this.#reader, WINDOW);

  constructor(job: FileJob, clock: Clock, losses: Losses) {
    this.#files = job.files;
    this.#born = job.born;
    this.#paths = new Paths(job.root, job.directories, { isAnchored: true });
    this.#owners = new Owners(job.born, losses);
    this.#setuid = new Setuid(job.keepSetuid, losses);
    this.#losses = losses;
    this.#clock = clock;
    this.#layers = job.files.layers.map((file, order) => ({ file, order }));
  }

  /** Writes the rows from `first` to before `end`. Yields content bytes as they are written: stop there to stop soon. */
  *write(first: number, end: number): Generator<number> {
    try {
      for (let row = first; row < end; row++) yield* this.#file(row, end);
    } catch (error) {
      throw inPath(error, this.#paths.inImage());
    }
  }

  close(): void {
    this.#paths.close();
    this.#reader.close();
  }

  *#file(row: number, end: number): Generator<number> {
    const { directory, names, ends, mode: modes, size } = this.#files;
    const path = this.#paths.ofBytes(directory[row]!, names, row === 0 ? 0 : ends[row - 1]!, ends[row]!);
    const isLater = (modes[row]! & MODE_LATER) !== 0;
    const mode = modes[row]! & 0o7777;
    const fd = openSync(path, CREATE, isLater ? 0o600 : mode & 0o777);
    try {
      if (size[row]! > 0) yield* this.#content(fd, row, end);
      this.#metadata(fd, row, isLater ? undefined : mode);
    } finally {
      closeSync(fd);
    }
  }

  #metadata(fd: number, row: number, wanted: number | undefined): void {
    const { uid, gid, seconds, nanos } = this.#files;
    const path = () => this.#paths.inImage();
    this.#owners.setOpen(fd, uid[row]!, gid[row]!, path);
    if (wanted !== undefined) {
      const owner = { uid: uid[row]!, gid: gid[row]! };
      const mode = this.#setuid.modeOf(wanted, owner, () => fstatSync(fd), path);
      // Chown clears only bits that creation cannot give, and those call for chmod anyway.
      if ((mode & this.#born.mask) !== mode) {
        permitted(this.#losses, 'mode', path, () => fchmodSync(fd, mode));
      }
    }
    permitted(this.#losses, 'mtime', path, () => this.#clock.setOpen(fd, seconds[row]!, nanos[row]!));
  }

  *#content(fd: number, row: number, end: number): Generator<number> {
    const runs = this.#files.runs.get(row);
    const size = this.#files.size[row]!;
    if (runs !== undefined) {
      yield* this.#sparse(fd, row, runs);
      ftruncateSync(fd, size);
    } else if (size <= WINDOW) {
      writeAll(fd, this.#small(row, end), 0);
      yield size;
    } else {
      yield* this.#copy(fd, row, this.#files.offset[row]!, size, 0);
    }
  }

  /** Writes the runs only: what lies between stays a hole. */
  *#sparse(fd: number, row: number, runs: Float64Array): Generator<number> {
    for (let i = 0; i < runs.length; i += RUN) {
      yield* this.#copy(fd, row, runs[i + 2]!, runs[i + 1]!, runs[i]!);
    }
  }

  /** Copies bytes of the row's layer to `position` of the file, a window at a time. */
  *#copy(fd: number, row: number, from: number, length: number, position: number): Generator<number> {
    const layer = this.#layers[this.#files.layer[row]!]!;
    for (let done = 0; done < length; ) {
      const part = Math.min(WINDOW, length - done);
      writeAll(fd, this.#window.view(layer, from + done, part, part), position + done);
      done += part;
      yield part;
    }
  }

  /** The row's content, which is read together with what the following rows need. */
  #small(row: number, end: number): Buffer {
    const { layer, offset, size, runs } = this.#files;
    const file = this.#layers[layer[row]!]!;
    const start = offset[row]!;
    const length = size[row]!;
    if (this.#window.holds(file, start, length)) return this.#window.view(file, start, length);
    let stop = start + length;
    for (let next = row + 1; next < end && layer[next] === layer[row] && !runs.has(next); next++) {
      const until = offset[next]! + size[next]!;
      if (offset[next]! < stop || offset[next]! - stop > MAX_GAP || until - start > WINDOW) break;
      stop = until;
    }
    return this.#window.view(file, start, length, stop - start);
  }
}
