import { JsonText } from './json-text.js';

/**
 * The key under which an object has a field: the exact one, else the first that differs in case only, as Go's
 * encoding/json finds fields. Own properties only.
 */
export function fieldKey(object: Readonly<Record<string, unknown>>, name: string): string | undefined {
  if (Object.hasOwn(object, name)) return name;
  const folded = name.toLowerCase();
  return Object.keys(object).find((key) => key.toLowerCase() === folded);
}

/** The fields of a JSON object, in their order, each value as the text it was read from. Names match as in {@link fieldKey}. */
export class Fields {
  readonly #members: readonly (readonly [name: string, value: JsonText])[];

  private constructor(members: readonly (readonly [name: string, value: JsonText])[]) {
    this.#members = members;
  }

  /** None of anything that is no object. */
  static of(value: unknown): Fields {
    return new Fields(JsonText.of(value ?? {}).members());
  }

  /** Undefined where it is missing or null. Of a name that comes twice, the last counts. */
  get(name: string): JsonText | undefined {
    const folded = name.toLowerCase();
    const found =
      this.#members.findLast(([key]) => key === name) ??
      this.#members.find(([key]) => key.toLowerCase() === folded);
    return found?.[1].text === 'null' ? undefined : found?.[1];
  }

  /** With one field set, where the field stood or at the end; undefined takes it away. No spelling in another case stays. */
  with(name: string, value: unknown): Fields {
    const folded = name.toLowerCase();
    const set: [string, JsonText][] = value === undefined ? [] : [[name, JsonText.of(value)]];
    const members = this.#members.flatMap((member) =>
      member[0].toLowerCase() === folded ? set.splice(0) : [member],
    );
    return new Fields([...members, ...set]);
  }

  /** With keys of a map set, whose case counts. */
  withKeys(entries: Iterable<readonly [key: string, value: unknown]>): Fields {
    const set = new Map([...entries].map(([key, value]) => [key, JsonText.of(value)]));
    const keys = new Set(set.keys());
    const members = this.#members.flatMap((member) => {
      const [key] = member;
      if (!keys.has(key)) return [member];
      const value = set.get(key);
      set.delete(key);
      return value === undefined ? [] : [[key, value] as const];
    });
    return new Fields([...members, ...set]);
  }

  without(names: readonly string[]): Fields {
    return names.reduce((fields: Fields, name) => fields.with(name, undefined), this);
  }

  /** With these fields in front. */
  after(fields: Readonly<Record<string, unknown>>): Fields {
    return new Fields([...Fields.of(fields).#members, ...this.#members]);
  }

  toText(): JsonText {
    const members = this.#members.map(([name, { text }]) => `${JSON.stringify(name)}:${text}`);
    return new JsonText(`{${members.join()}}`);
  }
}
