import { closeSync, openSync, readSync } from 'node:fs';
import { FlattenError } from '../errors.js';
import type { Content, LayerFile, Segment } from '../rootfs/node.js';

/** The runs of a file that hold bytes: one of the whole size unless it is sparse. */
export function segmentsOf(content: Content): readonly Segment[] {
  return content.segments ?? (content.size === 0 ? [] : [{ start: 0, length: content.size }]);
}

/** Orders content as it lies on disk, the fastest order to read it in. */
export function byPosition(a: Content, b: Content): number {
  return a.layer.order - b.layer.order || a.offset - b.offset;
}

/** Reads content with positioned reads. Keeps at most one host file open; close it when done. */
export class ContentReader {
  #path: string | undefined;
  #fd = -1;
  #cursor: { readonly content: Content; readonly index: number; readonly stored: number } | undefined;

  /** The descriptor that `layer`'s bytes are read from; good until the next call. */
  fd(layer: LayerFile): number {
    if (typeof layer.file === 'number') return layer.file;
    if (layer.file !== this.#path) {
      this.close();
      this.#fd = openSync(Buffer.from(layer.file, 'latin1'), 'r');
      this.#path = layer.file;
    }
    return this.#fd;
  }

  /** Fills `target` with stored bytes from `position` of the layer file. */
  readStored(layer: LayerFile, position: number, target: Uint8Array): void {
    const fd = this.fd(layer);
    for (let done = 0; done < target.length; ) {
      const read = readSync(fd, target, done, target.length - done, position + done);
      if (read === 0) throw new FlattenError('IO', 'the layer file became shorter while it was read');
      done += read;
    }
  }

  /** Fills `target` with the content's bytes from `start` on, holes as zeros. The range must lie within the content's size. */
  read(content: Content, start: number, target: Uint8Array): void {
    if (content.segments === undefined) {
      this.readStored(content.layer, content.offset + start, target);
      return;
    }
    target.fill(0);
    const end = start + target.length;
    let { index, stored } = this.#resume(content, start);
    for (; index < content.segments.length; index++) {
      const segment = content.segments[index]!;
      if (segment.start >= end) break;
      stored = segment.at ?? stored;
      this.#cursor = { content, index, stored };
      const from = Math.max(start, segment.start);
      const to = Math.min(end, segment.start + segment.length);
      if (from < to) {
        this.readStored(
          content.layer,
          stored + from - segment.start,
          target.subarray(from - start, to - start),
        );
      }
      stored += segment.length;
    }
  }

  /** Files are mostly read from front to back: a map of many segments is not gone through again for each piece. */
  #resume(content: Content, start: number): { index: number; stored: number } {
    const cursor = this.#cursor;
    const isBehind = cursor?.content === content && content.segments![cursor.index]!.start <= start;
    return isBehind ? cursor : { index: 0, stored: content.offset };
  }

  close(): void {
    if (this.#path !== undefined) closeSync(this.#fd);
    this.#path = undefined;
    this.#fd = -1;
  }
}
