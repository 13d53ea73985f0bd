import { FlattenError } from '../errors.js';
import { type Digest, isDigest } from './digest.js';
import { Fields, fieldKey } from './fields.js';
import { depthOf, JsonText, MAX_DEPTH } from './json-text.js';
import { shown } from './shown.js';

/**
 * A value out of image JSON, and the way to it: every error says both, as `manifest.layers[2].digest: missing`.
 *
 * Own properties only, so nothing is ever found on a prototype. Field names match as Go's encoding/json matches them,
 * which wrote nearly all of these files: exactly, else without regard to case. `null` counts as missing.
 */
export class Json {
  readonly value: unknown;
  readonly at: string;
  readonly #read: () => JsonText;
  #text: JsonText | undefined;

  /** `text` gives what the value was read from, when it is asked for. */
  constructor(value: unknown, at: string, text: () => JsonText = () => JsonText.of(value)) {
    this.value = value;
    this.at = at;
    this.#read = text;
  }

  /** The value as it stands in the file. */
  get text(): JsonText {
    this.#text ??= this.#read();
    return this.#text;
  }

  get missing(): boolean {
    return this.value === undefined || this.value === null;
  }

  /** A field of this object; missing where there is none. */
  get(name: string): Json {
    const object = this.object();
    return new Json(ownField(object, name), `${this.at}.${name}`, () =>
      JsonText.of(Fields.of(this.text).get(name) ?? null),
    );
  }

  object(): Readonly<Record<string, unknown>> {
    const { value } = this;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw this.wrong('an object');
    return value as Record<string, unknown>;
  }

  /** The fields of this object, in the order of the file; none where it is missing. Of a name that comes twice, the last counts. */
  fields(): [string, Json][] {
    if (this.missing) return [];
    const object = this.object();
    return [...new Map(this.text.members())].map(([name, text]) => [
      name,
      new Json(object[name], `${this.at}[${shown(JSON.stringify(name))}]`, () => text),
    ]);
  }

  items(): Json[] {
    if (!Array.isArray(this.value)) throw this.wrong('an array');
    let texts: readonly JsonText[] | undefined;
    const text = (index: number) => {
      texts ??= this.text.items();
      return texts[index]!;
    };
    return this.value.map((value, index) => new Json(value, `${this.at}[${index}]`, () => text(index)));
  }

  /** The items of an array that may be missing, as Go writes an empty one. */
  optionalItems(): Json[] {
    return this.missing ? [] : this.items();
  }

  string(): string {
    if (typeof this.value !== 'string') throw this.wrong('a string');
    return this.value;
  }

  optionalString(): string | undefined {
    return this.missing ? undefined : this.string();
  }

  /** A whole number from 0 on. */
  size(): number {
    const { value } = this;
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
      throw this.wrong('a whole number from 0 on');
    }
    return value;
  }

  digest(): Digest {
    if (!isDigest(this.value)) throw this.wrong('a sha256 or sha512 digest');
    return this.value;
  }

  /** The error for a value that is not what it has to be. */
  wrong(wanted: string): FlattenError {
    const what = this.missing ? 'missing' : `${excerpt(this.value)} is not ${wanted}`;
    return new FlattenError('BAD_IMAGE', `${this.at}: ${what}`);
  }
}

/** Reads JSON text; `at` names it in every error about it. */
export function parseJson(bytes: Uint8Array, at: string): Json {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  if (depthOf(text) > MAX_DEPTH) {
    throw new FlattenError(
      'BAD_IMAGE',
      `${at}: is nested more than ${MAX_DEPTH} deep, which no engine reads`,
    );
  }
  try {
    return new Json(JSON.parse(text), at, () => new JsonText(text));
  } catch (cause) {
    throw new FlattenError('BAD_IMAGE', `${at}: is not JSON: ${shown((cause as Error).message)}`, { cause });
  }
}

/** A value of text that is known to be valid. */
export function jsonOf(text: JsonText, at: string): Json {
  return new Json(text.value, at, () => text);
}

function ownField(object: Readonly<Record<string, unknown>>, name: string): unknown {
  const key = fieldKey(object, name);
  return key === undefined ? undefined : object[key];
}

function excerpt(value: unknown): string {
  if (typeof value === 'object') return Array.isArray(value) ? 'an array' : 'an object';
  return shown(JSON.stringify(value));
}
