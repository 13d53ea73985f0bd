import { Fields } from '../fields.js';
import { Json } from '../json.js';
import type { Lookup } from './expand.js';

/** The `config` of an image config while instructions change it. Throws `BAD_IMAGE` where a field has not the shape it must have. */
export class RunConfig {
  #fields: Fields;
  /** CMD has been among the instructions: ENTRYPOINT leaves it alone then. */
  hasCommand = false;

  constructor(fields: Fields) {
    this.#fields = fields;
  }

  get fields(): Fields {
    return this.#fields;
  }

  set(name: string, value: unknown): void {
    this.#fields = this.#fields.with(name, value);
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

  /** The keys of a field that is an object; none where it is missing. */
  keys(name: string): string[] {
    return this.#field(name)
      .fields()
      .map(([key]) => key);
  }

  /** A field that is an object of strings; empty where it is missing. */
  texts(name: string): Record<string, string> {
    const fields = this.#field(name).fields();
    return Object.fromEntries(fields.map(([key, value]) => [key, value.string()]));
  }

  /** Adds keys to a field that is an object. */
  merge(name: string, entries: readonly (readonly [string, unknown])[]): void {
    const field = this.#field(name);
    if (!field.missing) field.object();
    this.set(name, Fields.of(this.#fields.get(name)).withKeys(entries).toText());
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
    return new Json(this.#fields.get(name)?.value, `config.${name}`);
  }
}

function splitVariable(variable: string): [string, string] {
  const equals = variable.indexOf('=');
  return equals < 0 ? [variable, ''] : [variable.slice(0, equals), variable.slice(equals + 1)];
}
