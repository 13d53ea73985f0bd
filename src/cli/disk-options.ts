import type { Command } from 'commander';
import type { DiskOptions } from '../sinks/open.js';
import { parseCount, parsePercent, parseSize, parseSizeOrShare } from './numbers.js';

/** Options of disk images, as commander gives them. */
export type DiskFlags = DiskOptions;

/** Adds the options of disk images. */
export function addDiskOptions(command: Command): Command {
  return command
    .optionsGroup('Disk images:')
    .option(
      '--size <bytes>',
      'Set the size of the file, as 2G (default: the least that holds the tree)',
      parseSize,
    )
    .option(
      '--free <bytes|percent>',
      'Leave room beyond what the tree takes: 64M, or 10% of all blocks',
      parseSizeOrShare,
    )
    .option(
      '--free-inodes <count>',
      'Leave this many inodes free (default: one for every 16K of --free)',
      parseCount,
    )
    .option('--label <name>', 'Set the volume label, at most 16 bytes')
    .option('--uuid <uuid>', 'Set the UUID (default: one that is derived from the content)')
    .option(
      '--journal <bytes>',
      'Set the size of the journal (default: 4M), or none, which only ext4 allows',
      parseJournal,
    )
    .option(
      '--reserved <percent>',
      'Reserve a share of all blocks for root, as 5% (default: 0)',
      parsePercent,
    )
    .option(
      '--verity [file]',
      'Append a hash tree for dm-verity, or write it to a file: --verity=FILE; OUTPUT.verity.json has the root hash',
      (file) => (file === '' ? true : file),
    );
}

/** Takes the options of disk images out of a command's flags. */
export function splitDiskFlags<T extends DiskFlags>(
  flags: T,
): { disk?: DiskOptions; rest: Omit<T, keyof DiskFlags> } {
  const { size, free, freeInodes, label, uuid, journal, reserved, verity, ...rest } = flags;
  const given = Object.entries({ size, free, freeInodes, label, uuid, journal, reserved, verity }).filter(
    ([, value]) => value !== undefined,
  );
  return given.length === 0 ? { rest } : { disk: Object.fromEntries(given), rest };
}

function parseJournal(text: string): number | 'none' {
  return text === 'none' ? text : parseSize(text);
}
