import { fieldKey, withField } from '../fields.js';
import { Json } from '../json.js';
import type { Lookup } from './expand.js';

/** The `config` of an image config while instructions change it. Throws `BAD_IMAGE` where a field has not the shape it must have. */
export class RunConfig {
  #json: Readonly<Record<string, unknown>>;
  /** CMD has been among the instructions: ENTRYPOINT leaves it alone then. */
  hasCommand = false;

  constructor(json: Readonly<Record<string, unknown>>) {
    this.#json = json;
  }

  get json(): Readonly<Record<string, unknown>> {
    return this.#json;
  }

  set(name: string, value: unknown): void {
    this.#json = withField(this.#json, name, value);
  }

  /** A list of strings; empty where it is missing. */
  list(name: string): string[] {
    return this.#field(name)
      .optionalItems()
      .map((item) => item.string());
  }

  text(name: string): string {
    return this.#field(name).optionalString() ?? '';
  }

  /** Adds keys to a field that is an object. */
  merge(name: string, entries: readonly (readonly [string, unknown])[]): void {
    const field = this.#field(name);
    const merged = new Map(field.missing ? [] : Object.entries(field.object()));
    for (const [key, value] of entries) merged.set(key, value);
    this.set(name, Object.fromEntries(merged));
  }

  /** The environment, as instructions see it. */
  get lookup(): Lookup {
    const variables = new Map(this.list('Env').map(splitVariable));
    return (name) => variables.get(name);
  }

  /** Sets variables, each in its place if it is there already. */
  setVariables(pairs: readonly (readonly [string, string])[]): void {
    const env = this.list('Env');
    for (const [name, value] of pairs) {
      const at = env.findIndex((variable) => splitVariable(variable)[0] === name);
      env.splice(at < 0 ? env.length : at, at < 0 ? 0 : 1, `${name}=${value}`);
    }
    this.set('Env', env);
  }

  #field(name: string): Json {
    const key = fieldKey(this.#json, name);
    return new Json(key === undefined ? undefined : this.#json[key], `config.${name}`);
  }
}

function splitVariable(variable: string): [string, string] {
  const equals = variable.indexOf('=');
  return equals < 0 ? [variable, ''] : [variable.slice(0, equals), variable.slice(equals + 1)];
}
