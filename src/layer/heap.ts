import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** The part of the heap that a tree may take: whoever writes it needs some too. */
const SHARE = 0.6;

/** How much of the heap Node allows, in bytes, is for the tree. */
export function heapForTree(): number {
  return getHeapStatistics().heap_size_limit * SHARE;
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
