import { availableParallelism } from 'node:os';

/** Bytes of memory that one image may take: 124 to 158 MB were measured for images of up to 100,000 files, and some for the page cache. */
const EACH = 384 * 2 ** 20;

/** Images that are made at one time unless somebody says otherwise: as many as there are processors, and as the memory that is left holds. */
export function usualJobs(
  cores: number = availableParallelism(),
  memory: number = process.availableMemory(),
): number {
  return Math.max(1, Math.min(cores, Math.floor(memory / EACH)));
}
