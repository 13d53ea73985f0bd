import { closeSync } from 'node:fs';
import { FlattenError } from '../errors.js';
import type { ByteRange } from '../host/bytes.js';
import { readRange } from '../host/bytes.js';
import type { InputBounds } from '../layer/input-bounds.js';
import { Json } from '../oci/json.js';
import { shown } from '../oci/shown.js';
import { JsonBounds } from './json-bounds.js';
import type { Members } from './members.js';

/** An image's files and the JSON among them, read within bounds. */
export class Envelope {
  readonly members: Members;
  /** What the input that it comes from may cost. */
  readonly bounds: InputBounds;
  readonly #json = new JsonBounds();
  readonly #known = new Map<string, unknown>();
  readonly #held: number[] = [];

  constructor(members: Members, bounds: InputBounds) {
    this.members = members;
    this.bounds = bounds;
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
    return range && this.#read(range, path);
  }

  /** Reads a JSON file that has to be there. */
  needJson(path: string): Json {
    return this.#read(this.need(path), path);
  }

  #read(range: ByteRange, path: string): Json {
    const at = shown(path);
    const json = this.once(range, 'json', () => this.parse(this.small(range, at), at));
    return new Json(json.value, at, () => json.text);
  }

  /** What `read` makes of a file, which is done once, also where it fails: an image may name one file in very many places. */
  once<T>({ fd, offset, length }: ByteRange, as: string, read: () => T): T {
    const key = `${as} ${fd} ${offset} ${length}`;
    if (!this.#known.has(key)) this.#known.set(key, attempt(read));
    const known = this.#known.get(key) as T | FlattenError;
    if (known instanceof FlattenError) throw known;
    return known;
  }

  /** Reads JSON text, within the bounds on all of it. */
  parse(bytes: Buffer, at: string): Json {
    return this.#json.parse(bytes, at);
  }

  /** Reads all bytes of a file that has to be a small one; a large one is a `LIMIT` error that calls it `what`. */
  small(range: ByteRange, what: string): Buffer {
    this.#json.take(range.length, what, this.name);
    const bytes = Buffer.alloc(range.length);
    for (let done = 0; done < bytes.length; ) done += readRange(range, bytes.subarray(done), done);
    return bytes;
  }
}

function attempt<T>(read: () => T): T | FlattenError {
  try {
    return read();
  } catch (error) {
    if (error instanceof FlattenError) return error;
    throw error;
  }
}
