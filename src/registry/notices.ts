import type { Context } from '../context.js';
import { shown } from '../oci/shown.js';
import type { Answer } from './exchange.js';

/** Warnings of one registry that are told in one run. */
const MOST = 10;

/** One warning of the kind that is for people (distribution specification, warnings; RFC 7234, section 5.5). */
const WARNING = /(?:^|,)[ \t]*299 +\S+ +"((?:[^"\\]|\\.)*)"/g;

/** What a registry has to say in the `Warning` headers of its answers: each is told once, and no more than {@link MOST}. */
export class Notices {
  readonly #host: string;
  readonly #report: Context['report'];
  readonly #told = new Set<string>();

  constructor(host: string, report: Context['report']) {
    this.#host = host;
    this.#report = report;
  }

  /** Tells what an answer says that has not been told. */
  tell({ headers }: Pick<Answer, 'headers'>): void {
    for (const header of [headers.warning ?? []].flat())
      for (const [, quoted = ''] of header.matchAll(WARNING)) {
        const text = shown(quoted.replace(/\\(.)/g, '$1'));
        if (text === '' || this.#told.has(text) || this.#told.size >= MOST) continue;
        this.#told.add(text);
        this.#report({ type: 'warning', code: 'REGISTRY', message: `${this.#host} says: ${text}` });
      }
  }
}
