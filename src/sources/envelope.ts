import { closeSync } from 'node:fs';
import { FlattenError } from '../errors.js';
import type { ByteRange } from '../layer/layer.js';
import { readRange } from '../layer/unpack-file.js';
import { type Json, parseJson } from '../oci/json.js';
import { shown } from '../oci/shown.js';
import type { Members } from './members.js';

/** Bytes that one piece of image JSON may have; real ones have some thousands. */
const JSON_LIMIT = 8 * 2 ** 20;

/** Bytes of image JSON that are read in all: a few references to one large file must not cost hours. */
const JSON_BUDGET = 64 * 2 ** 20;

/** An image's files and the JSON among them, read within bounds. */
export class Envelope {
  readonly members: Members;
  #budget = JSON_BUDGET;
  readonly #held: number[] = [];

  constructor(members: Members) {
    this.members = members;
  }

  /** As the user named it, for messages. */
  get name(): string {
    return this.members.name;
  }

  /** Takes charge of an open file that belongs to the image too. */
  hold(fd: number): void {
    this.#held.push(fd);
  }

  close(): void {
    this.members.close();
    for (const fd of this.#held.splice(0)) closeSync(fd);
  }

  /** A file that has to be there; `layer` is the layer it holds, for the error. */
  need(path: string, layer?: string): ByteRange {
    const range = this.members.find(path);
    if (range === undefined) {
      throw new FlattenError('NOT_FOUND', `${shown(path)}: is not in ${this.name}`, {
        ...(layer && { layer }),
      });
    }
    return range;
  }

  /** Reads a JSON file; undefined where there is none. */
  json(path: string): Json | undefined {
    const range = this.members.find(path);
    return range && parseJson(this.small(range, shown(path)), shown(path));
  }

  /** Reads a JSON file that has to be there. */
  needJson(path: string): Json {
    return parseJson(this.small(this.need(path), shown(path)), shown(path));
  }

  /** Reads all bytes of a file that has to be a small one; a large one is a `LIMIT` error that calls it `what`. */
  small(range: ByteRange, what: string): Buffer {
    if (range.length > JSON_LIMIT) {
      throw new FlattenError(
        'LIMIT',
        `${what}: has ${range.length} bytes, more than the ${JSON_LIMIT} allowed`,
      );
    }
    this.#budget -= range.length;
    if (this.#budget < 0) {
      throw new FlattenError('LIMIT', `${this.name}: has more than ${JSON_BUDGET} bytes of image JSON`);
    }
    const bytes = Buffer.alloc(range.length);
    for (let done = 0; done < bytes.length; ) done += readRange(range, bytes.subarray(done), done);
    return bytes;
  }
}
