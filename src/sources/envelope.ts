import { closeSync } from 'node:fs';
import { FlattenError } from '../errors.js';
import type { ByteRange } from '../host/bytes.js';
import { readRange } from '../host/bytes.js';
import type { InputBounds } from '../layer/input-bounds.js';
import { Json, parseJson } from '../oci/json.js';
import { shown } from '../oci/shown.js';
import type { Members } from './members.js';

/** Bytes that one piece of image JSON may have; real ones have some thousands. */
const JSON_LIMIT = 8 * 2 ** 20;

/** Bytes of image JSON that are read in all, each file once. */
const JSON_BUDGET = 64 * 2 ** 20;

/**
 * Values in all the JSON, counted by the characters that part them: each takes up to 64 bytes of memory, and few stored
 * ones. Ten thousand manifests in an index have some 200,000.
 */
const VALUE_BUDGET = 2 ** 20;

/** An image's files and the JSON among them, read within bounds. */
export class Envelope {
  readonly members: Members;
  /** What the input that it comes from may cost. */
  readonly bounds: InputBounds;
  #budget = JSON_BUDGET;
  #values = VALUE_BUDGET;
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
    return range && this.#json(range, path);
  }

  /** Reads a JSON file that has to be there. */
  needJson(path: string): Json {
    return this.#json(this.need(path), path);
  }

  #json(range: ByteRange, path: string): Json {
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

  /** Reads JSON text; `at` names it in errors. Text of more values than are left is a `LIMIT` error. */
  parse(bytes: Buffer, at: string): Json {
    this.#values -= valuesIn(bytes);
    if (this.#values < 0) {
      throw new FlattenError('LIMIT', `${at}: the image JSON has more than ${VALUE_BUDGET} values`);
    }
    return parseJson(bytes, at);
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

function attempt<T>(read: () => T): T | FlattenError {
  try {
    return read();
  } catch (error) {
    if (error instanceof FlattenError) return error;
    throw error;
  }
}

/** About how many values JSON text has, at least: what parts them may stand in strings too. */
function valuesIn(bytes: Buffer): number {
  let count = 1;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === 0x2c || byte === 0x5b || byte === 0x7b) count++;
  }
  return count;
}
