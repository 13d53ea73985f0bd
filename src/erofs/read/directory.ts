import { FlattenError } from '../../errors.js';
import { ENTRY, MAX_NAME } from '../directory.js';
import { damaged } from './superblock.js';

/** A name in a directory. */
export interface StoredName {
  readonly name: string;
  readonly nid: bigint;
  /** As {@link ENTRY_TYPE} has it; 0: not said. */
  readonly type: number;
}

/**
 * A directory's names, `.` and `..` among them. Throws `BAD_IMAGE` where they are not in the order in which Linux looks for
 * them: it would not find them, or find one of two.
 */
export function* namesIn(blocks: Iterable<Buffer>): Generator<StoredName> {
  let last = '';
  for (const block of blocks) {
    for (const entry of namesOfBlock(block)) {
      if (entry.name <= last) throw damaged('names out of order in a directory');
      last = entry.name;
      yield entry;
    }
  }
}

function* namesOfBlock(block: Buffer): Generator<StoredName> {
  const first = block.length < ENTRY ? 0 : block.readUInt16LE(8);
  if (first < ENTRY || first % ENTRY !== 0 || first >= block.length)
    throw damaged('a directory block without entries');
  const count = first / ENTRY;
  for (let i = 0; i < count; i++) {
    const at = i * ENTRY;
    const start = block.readUInt16LE(at + 8);
    const end = i + 1 < count ? block.readUInt16LE(at + ENTRY + 8) : endOfLast(block, start);
    if (start < first || end <= start || end > block.length || end - start > MAX_NAME)
      throw damaged('a directory entry of an impossible length');
    const name = block.toString('latin1', start, end);
    if (name.includes('/') || name.includes('\0')) throw damaged('an impossible name in a directory');
    yield { name, nid: block.readBigUInt64LE(at), type: block[at + 10]! };
  }
}

/** The last name of a block ends at its first zero, or where the block does. */
function endOfLast(block: Buffer, start: number): number {
  const zero = block.indexOf(0, start);
  return zero === -1 ? block.length : zero;
}

/** Counts names down from the most that there may be. */
export class NamesLeft {
  #left: number;

  constructor(most: number) {
    this.#left = most;
  }

  take(): void {
    if (--this.#left < 0) throw new FlattenError('LIMIT', 'the image has too many names');
  }
}
