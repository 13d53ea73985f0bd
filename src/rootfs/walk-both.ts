import type { Directory, Node } from './node.js';

/** A path that at least one of two trees has. */
export interface PathOfTwo {
  /** From the root, no leading slash, `''` for the root itself; latin1. */
  readonly path: string;
  readonly before: Node | undefined;
  readonly after: Node | undefined;
  /** Whether it lies below a path at which the other tree has nothing, or no directory. */
  readonly isBelow: boolean;
}

interface Frame {
  readonly prefix: string;
  readonly before: Directory | undefined;
  readonly after: Directory | undefined;
  /** In byte order. */
  readonly names: readonly string[];
  next: number;
}

/** Visits every path that one of two trees has, in the order of {@link walk}. Depth costs no stack. */
export function* walkBoth(before: Directory, after: Directory): Generator<PathOfTwo> {
  yield { path: '', before, after, isBelow: false };
  const stack = [frameOf('', before, after)];
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const name = top.names[top.next++];
    if (name === undefined) {
      stack.pop();
      continue;
    }
    const path = top.prefix + name;
    const a = top.before?.children.get(name);
    const b = top.after?.children.get(name);
    yield { path, before: a, after: b, isBelow: top.before === undefined || top.after === undefined };
    const [down, up] = [childrenOf(a), childrenOf(b)];
    if (down !== undefined || up !== undefined) stack.push(frameOf(`${path}/`, down, up));
  }
}

function frameOf(prefix: string, before: Directory | undefined, after: Directory | undefined): Frame {
  const names = new Set([...(before?.children.keys() ?? []), ...(after?.children.keys() ?? [])]);
  return { prefix, before, after, names: [...names].sort(), next: 0 };
}

/** The directory, if it is one and has something in it. */
function childrenOf(node: Node | undefined): Directory | undefined {
  return node?.kind === 'directory' && node.children.size > 0 ? node : undefined;
}
