import { setImmediate } from 'node:timers/promises';
import { throwIfAborted } from '../../errors.js';
import { byPosition, ContentReader } from '../../layer/content.js';
import { contentDigest } from '../../layer/content-digest.js';
import type { Change } from '../../rootfs/compare.js';
import type { Content, File } from '../../rootfs/node.js';

/** Files that only one tree has, each of a size that the other side has among its own too. */
export interface RenameCandidates {
  readonly removed: readonly Change[];
  readonly added: readonly Change[];
  /** What is read to find out, each once. */
  readonly contents: readonly Content[];
}

/** Files that may have got another name. Empty files are all alike, and are none. */
export function renameCandidates(changes: Iterable<Change>): RenameCandidates {
  const removed: Change[] = [];
  const added: Change[] = [];
  for (const change of changes) {
    if (change.after === undefined && sizeOf(change.before) > 0) removed.push(change);
    if (change.before === undefined && sizeOf(change.after) > 0) added.push(change);
  }
  const sizes = [removed, added].map(
    (side) => new Set(side.map((each) => sizeOf(each.before ?? each.after))),
  );
  const isIn = (change: Change) => sizes.every((side) => side.has(sizeOf(change.before ?? change.after)));
  const left = { removed: removed.filter(isIn), added: added.filter(isIn) };
  const contents = new Set([...left.removed, ...left.added].map(contentOf));
  return { ...left, contents: [...contents] };
}

/**
 * Finds which file that was removed has the bytes of which that was added, one to one: by the name without its directories where that is the
 * same, else in the order of the paths. Returns the removed by the added.
 */
export async function findRenames(
  { removed, added, contents }: RenameCandidates,
  signal: AbortSignal,
  onRead: (bytes: number) => void,
): Promise<ReadonlyMap<Change, Change>> {
  const digests = await digestsOf(contents, signal, onRead);
  const keyOf = (change: Change) =>
    `${digests.get(contentOf(change))} ${sizeOf(change.before ?? change.after)}`;
  const sources = new Map<string, Change[]>();
  for (const change of [...removed].reverse())
    for (const key of [keyOf(change), `${keyOf(change)} ${nameOf(change)}`]) append(sources, key, change);
  const found = new Map<Change, Change>();
  const taken = new Set<Change>();
  for (const isNamed of [true, false]) {
    for (const change of added) {
      if (found.has(change)) continue;
      const source = take(sources.get(isNamed ? `${keyOf(change)} ${nameOf(change)}` : keyOf(change)), taken);
      if (source !== undefined) found.set(change, source);
    }
  }
  return found;
}

async function digestsOf(
  contents: readonly Content[],
  signal: AbortSignal,
  onRead: (bytes: number) => void,
): Promise<ReadonlyMap<Content, string>> {
  const digests = new Map<Content, string>();
  const reader = new ContentReader();
  try {
    for (const content of [...contents].sort(byPosition)) {
      digests.set(content, contentDigest(content, reader));
      onRead(content.size);
      await setImmediate();
      throwIfAborted(signal);
    }
  } finally {
    reader.close();
  }
  return digests;
}

/** The last that nobody has taken; what was taken is dropped on the way. */
function take(from: Change[] | undefined, taken: Set<Change>): Change | undefined {
  for (let change = from?.pop(); change !== undefined; change = from?.pop()) {
    if (taken.has(change)) continue;
    taken.add(change);
    return change;
  }
  return undefined;
}

function append(map: Map<string, Change[]>, key: string, change: Change): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [change]);
  else list.push(change);
}

function sizeOf(node: Change['before']): number {
  return node?.kind === 'file' ? node.content.size : 0;
}

function contentOf({ before, after }: Change): Content {
  return ((before ?? after) as File).content;
}

function nameOf({ path }: Change): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
