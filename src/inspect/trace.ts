import type { Touch } from './touch.js';

/** A name that some layer has or had, and all that layers did to it. */
export interface Trace {
  /** In the order in which it was done. */
  readonly touches: Touch[];
  children?: Map<string, Trace>;
}

/** The traces of all names below a root, as a tree that only grows. */
export class Traces {
  readonly root: Trace = { touches: [] };
  /** The directory that was asked for last: names come in runs. */
  #lastPrefix = '';
  #last: Trace = this.root;

  /** The trace of a path (latin1, `''` for the root), made where there is none. */
  at(path: string): Trace {
    if (path === '') return this.root;
    const slash = path.lastIndexOf('/');
    const prefix = path.slice(0, Math.max(slash, 0));
    if (prefix !== this.#lastPrefix) {
      let at = this.root;
      if (prefix !== '') for (const name of prefix.split('/')) at = childOf(at, name);
      this.#last = at;
      this.#lastPrefix = prefix;
    }
    return childOf(this.#last, path.slice(slash + 1));
  }

  /** The same, undefined where no layer ever had the path. */
  find(path: string): Trace | undefined {
    let at: Trace | undefined = this.root;
    if (path !== '') for (const name of path.split('/')) at = at?.children?.get(name);
    return at;
  }
}

/** The trace of a name in a directory, made where there is none. */
export function childOf(parent: Trace, name: string): Trace {
  parent.children ??= new Map();
  let child = parent.children.get(name);
  if (child === undefined) {
    child = { touches: [] };
    parent.children.set(name, child);
  }
  return child;
}
