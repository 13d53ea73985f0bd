import { FlattenError } from '../errors.js';
import { type Json, parseJson } from '../oci/json.js';
import { sizeText } from '../size-text.js';

/** Bytes that one piece of image JSON may have; real ones have some thousands. */
const JSON_LIMIT = 8 * 2 ** 20;

/** Bytes of image JSON that are read in all, each file once. */
const JSON_BUDGET = 64 * 2 ** 20;

/**
 * Values in all the JSON, counted by the characters that part them: each takes up to 64 bytes of memory, and few stored
 * ones. Ten thousand manifests in an index have some 200,000.
 */
const VALUE_BUDGET = 2 ** 20;

/** What the JSON of one source may come to. */
export class JsonBounds {
  #budget = JSON_BUDGET;
  #values = VALUE_BUDGET;

  /** Counts a document of so many bytes before it is read. Throws `LIMIT`, which calls it `what`, and the source `name`. */
  take(bytes: number, what: string, name: string): void {
    if (bytes > JSON_LIMIT) {
      throw new FlattenError(
        'LIMIT',
        `${what}: has ${sizeText(bytes)}, and at most ${sizeText(JSON_LIMIT)} are read`,
      );
    }
    this.#budget -= bytes;
    if (this.#budget < 0) {
      throw new FlattenError('LIMIT', `${name}: has more than ${sizeText(JSON_BUDGET)} of image JSON`);
    }
  }

  /** Reads JSON text; `at` names it in errors. Text of more values than are left is a `LIMIT` error. */
  parse(bytes: Buffer, at: string): Json {
    this.#values -= valuesIn(bytes);
    if (this.#values < 0) {
      throw new FlattenError('LIMIT', `${at}: the image JSON has more than ${VALUE_BUDGET} values`);
    }
    return parseJson(bytes, at);
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
