import type { Command } from 'commander';
import { type Format, formatOfName } from '../sinks/format.js';
import type { DiskOptions } from '../sinks/open.js';
import { parseCount, parsePercent, parseSize, parseSizeOrShare } from './numbers.js';

/** Options of disk images, as commander gives them. How squashfs is compressed is asked for as it is of images. */
export type DiskFlags = Omit<DiskOptions, 'squashfs'> & { readonly blockSize?: number };

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
    .option('--block-size <bytes>', 'Compress so many bytes of squashfs together (default: 128K)', parseSize)
    .option(
      '--verity [file]',
      'Append a hash tree for dm-verity, or write it to a file: --verity=FILE; OUTPUT.verity.json has the root hash',
      (file) => (file === '' ? true : file),
    );
}

/**
 * Takes the options of disk images out of a command's flags. `compression` is the word for images of one layer too: it is taken where the
 * output is squashfs.
 */
export function splitDiskFlags<
  T extends DiskFlags & { readonly compression?: string; readonly format?: Format },
>(flags: T, output: string): { disk?: DiskOptions; rest: Omit<T, keyof DiskFlags> } {
  const { size, free, freeInodes, label, uuid, journal, reserved, verity, blockSize, ...others } = flags;
  const { compression, ...without } = others;
  const isSquashfs = (flags.format ?? formatOfName(output))?.startsWith('squashfs') ?? false;
  const how = given({ blockSize, ...(isSquashfs && { compression }) });
  const disk = given({ size, free, freeInodes, label, uuid, journal, reserved, verity, squashfs: how });
  const rest = (isSquashfs ? without : others) as Omit<T, keyof DiskFlags>;
  return disk === undefined ? { rest } : { disk, rest };
}

/** What is there of some options; undefined for nothing. */
function given(options: object): object | undefined {
  const found = Object.entries(options).filter(([, value]) => value !== undefined);
  return found.length === 0 ? undefined : Object.fromEntries(found);
}

function parseJournal(text: string): number | 'none' {
  return text === 'none' ? text : parseSize(text);
}
