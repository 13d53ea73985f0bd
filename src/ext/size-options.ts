import { wholeRun } from '../disk/runs.js';
import { FlattenError } from '../errors.js';
import { indirectBlocks } from './map-size.js';
import { BLOCK, type ExtFormat } from './structures/features.js';

const MEBIBYTE = 2 ** 20;
/** jbd2 and mke2fs allow nothing smaller, and mke2fs nothing larger. In blocks. */
const MIN_JOURNAL = 1024;
const MAX_JOURNAL = 10_240_000;
/** An ext4 journal up to this size lies in no more pieces than its inode can name. */
const MAX_JOURNAL_IN_INODE = 65_536;
const JOURNAL_TREE = 2;

/** Percent. More would be a size: --size. */
const MAX_FREE = 90;
/** Percent, as mke2fs has it. */
const MAX_RESERVED = 50;
/** Percent. What is free and what is reserved must leave room for what is not. */
const MAX_BOTH = 95;

/** A part of all blocks of a file system. */
export interface Share {
  readonly percent: number;
}

/** What a user may ask of the size. All bytes, but `freeInodes` and `reserved`, which is in percent of all blocks. */
export interface SizeOptions {
  readonly format: ExtFormat;
  /** The size of the file. Absent: the least that holds the tree and what else is asked for. */
  readonly size?: number;
  /**
   * Bytes, or a share of all blocks of the finished file system, up to 90 percent. At least this much can be written to it
   * once it is mounted, also by others than root: it comes beyond the tree, the journal, all tables, what is `reserved` and what Linux keeps of an ext4.
   */
  readonly free?: number | Share;
  /** Absent: one for every 16 KiB of free room. */
  readonly freeInodes?: number;
  /** Percent of all blocks of the finished file system, rounded down, which are free and only root may fill; 0 to 50. Default 0. */
  readonly reserved?: number;
  /** Rounded up to MiB; the least, 4 MiB, by default. `none` is for ext4: ext2 never has one, ext3 always. */
  readonly journal?: number | 'none';
}

/** Throws `USAGE` for options that make no sense. */
export function checkSizeOptions({
  format,
  size,
  free,
  freeInodes,
  reserved = 0,
  journal,
}: SizeOptions): void {
  if (size !== undefined && free !== undefined) throw usage('{size} and {free}: give one of them');
  const isShare = typeof free === 'object';
  if (isShare) checkShare(free);
  for (const [name, value] of Object.entries({ size, freeInodes, ...(!isShare && { free }) })) {
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= 0))
      throw usage(`{${name}: ${typeof value === 'object' ? 'a share' : value}}: not a whole number`);
  }
  if (!(reserved >= 0 && reserved <= MAX_RESERVED))
    throw usage(`{reserved: ${reserved}}: not between 0 and ${MAX_RESERVED} percent`);
  if (isShare && free.percent + reserved > MAX_BOTH)
    throw usage(
      `{free: ${free.percent}%} and {reserved: ${reserved}%}: together more than ${MAX_BOTH} percent`,
    );
  if (journal !== undefined) checkJournal(format, journal);
}

function checkShare({ percent }: Share): void {
  if (!(percent >= 0 && percent <= MAX_FREE))
    throw usage(`{free: ${percent}%}: not between 0 and ${MAX_FREE} percent`);
}

function checkJournal(format: ExtFormat, journal: number | 'none'): void {
  if (journal === 'none') {
    if (format === 'ext3') throw usage('{journal: none}: ext3 is ext2 with a journal', 'ask for ext2');
    return;
  }
  if (format === 'ext2') throw usage('{journal}: ext2 has none', 'ask for ext3');
  if (journal >= MIN_JOURNAL * BLOCK && journal <= MAX_JOURNAL * BLOCK) return;
  throw usage(`{journal: ${journal}}: not between ${MIN_JOURNAL * BLOCK} and ${MAX_JOURNAL * BLOCK} bytes`);
}

function usage(what: string, hint?: string): FlattenError {
  return new FlattenError('USAGE', what, hint === undefined ? {} : { hint });
}

/** Blocks of the journal, whole MiB as mke2fs takes its size, and blocks that map it. */
export interface JournalSize {
  readonly journalBlocks: number;
  readonly journalMap: number;
}

export function journalSize({ format, journal = MIN_JOURNAL * BLOCK }: SizeOptions): JournalSize {
  if (format === 'ext2' || journal === 'none') return { journalBlocks: 0, journalMap: 0 };
  const journalBlocks = (Math.ceil(journal / MEBIBYTE) * MEBIBYTE) / BLOCK;
  if (format === 'ext3') return { journalBlocks, journalMap: indirectBlocks(wholeRun(journalBlocks)) };
  return { journalBlocks, journalMap: journalBlocks > MAX_JOURNAL_IN_INODE ? JOURNAL_TREE : 0 };
}
