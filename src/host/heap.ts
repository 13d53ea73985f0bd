import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** The part of the heap that a tree may take: whoever writes it needs some too. */
const SHARE = 0.6;

/** The heap's limit has room for young objects in it: 48 MiB in Node 20 and 22, this much in 24. A tree is old. */
const YOUNG = 192 * 2 ** 20;

/** How much of the heap Node allows, in bytes, is for the tree. */
export function heapForTree(): number {
  const { heap_size_limit: limit } = getHeapStatistics();
  return Math.max(limit - YOUNG, limit / 2) * SHARE;
}

/** Whether the tree has outgrown its share. What is garbage does not count, but is looked for only in need. */
export function isHeapFull(): boolean {
  if (getHeapStatistics().used_heap_size <= heapForTree()) return false;
  collectGarbage();
  return getHeapStatistics().used_heap_size > heapForTree();
}

/** Node has no call for this; a heap that runs over is no error, but the end of the process. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}
