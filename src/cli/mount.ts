import { closeSync, constants, fstatSync, openSync, readSync, realpathSync } from 'node:fs';
import type { Command } from 'commander';
import { diskKindOf, EXT_SUPERBLOCK } from '../disk-magic.js';
import { FlattenError, ioError, throwIfAborted } from '../errors.js';
import { mounts } from '../host/mounts.js';
import { addReportOptions, type ReportFlags, reportDone } from './report.js';

const OPTIONS = ['loop', 'ro', 'noatime', 'nodiratime'];
/** Where an ext superblock has its incompatible features. */
const INCOMPATIBLE = EXT_SUPERBLOCK + 96;
const NEEDS_RECOVERY = 4;
/** What mounts an image without root. */
const WITH_FUSE = { ext: 'fuse2fs -o ro', erofs: 'erofsfuse', squashfs: 'squashfuse' } as const;

/** `flatten mount IMAGE DIR` and `flatten unmount DIR`. */
export function addMount(program: Command, signal: AbortSignal): void {
  const mount = program
    .command('mount')
    .summary('Mount a disk image read-only')
    .description(`Mounts a disk image by a loop device: mount -o ${OPTIONS.join(',')}. It takes root.`)
    .argument('<disk>', 'A disk image: FILE.img, .ext2, .ext3, .ext4, .erofs, .squashfs')
    .argument('<dir>', 'An existing directory')
    .action(async (image: string, directory: string, flags: ReportFlags) => {
      const { kind, options } = lookAt(image);
      if (options.includes('noload') && !flags.quiet) {
        process.stderr.write(`flatten: ${image} was not unmounted cleanly: mounting it as it is (noload)\n`);
      }
      await requireRoot(`flatten mount ${image} ${directory}`, `${WITH_FUSE[kind]} ${image} ${directory}`);
      await system('mount', ['-o', options.join(','), '--', image, directory], signal);
      reportDone({ image, directory, options }, flags);
    });
  addReportOptions(mount);
  const unmount = program
    .command('unmount')
    .summary('Unmount what flatten mount has mounted')
    .description('Unmounts a disk image. It takes root.')
    .argument('<dir>', 'The directory it is mounted on')
    .action(async (directory: string, flags: ReportFlags) => {
      await requireRoot(`flatten unmount ${directory}`, `fusermount -u ${directory}`);
      refuseOthers(directory);
      await system('umount', ['--', directory], signal);
      reportDone({ directory }, flags);
    });
  addReportOptions(unmount);
}

/** Which file system an image has, and how it is mounted. A journal that waits to be replayed cannot be, on a read-only mount of a read-only file; then it must not be loaded. */
function lookAt(image: string): { kind: keyof typeof WITH_FUSE; options: string[] } {
  const superblock = Buffer.alloc(2048);
  try {
    const fd = openSync(image, constants.O_RDONLY | constants.O_NONBLOCK); // a fifo is told from a file without a wait
    try {
      if (fstatSync(fd).isFile()) readSync(fd, superblock, 0, superblock.length, 0);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw ioError(error, image);
  }
  const kind = diskKindOf(superblock);
  if (kind === 'erofs' || kind === 'squashfs') return { kind, options: OPTIONS };
  if (kind === undefined) {
    throw new FlattenError('USAGE', `${image}: is no ext2, ext3, ext4, EROFS or squashfs image`, {
      hint: `make one: flatten IMAGE -o disk.img`,
    });
  }
  const isDirty = (superblock.readUInt32LE(INCOMPATIBLE) & NEEDS_RECOVERY) !== 0;
  return { kind, options: isDirty ? [...OPTIONS, 'noload'] : OPTIONS };
}

/** Throws `USAGE` where what is mounted is no disk image. */
function refuseOthers(directory: string): void {
  let path: string;
  try {
    path = realpathSync(directory);
  } catch (error) {
    throw ioError(error, directory);
  }
  const mount = mounts().findLast(({ point }) => point === path);
  if (mount === undefined) throw new FlattenError('USAGE', `${directory}: nothing is mounted there`);
  if (!/^(ext[234]|erofs|squashfs)$/.test(mount.kind) || !mount.source.startsWith('/dev/loop')) {
    throw new FlattenError('USAGE', `${directory}: what is mounted there is no disk image`, {
      hint: `umount ${directory}`,
    });
  }
}

async function requireRoot(command: string, withFuse: string): Promise<void> {
  if (process.getuid?.() === 0) return;
  const { execa } = await import('execa');
  const { failed } = await execa(withFuse.split(' ')[0]!, ['-V'], { reject: false });
  const fuse = failed ? '' : `, or without root: ${withFuse}`;
  throw new FlattenError('IO', 'mounting takes root', { hint: `sudo ${command}${fuse}` });
}

async function system(program: string, args: readonly string[], signal: AbortSignal): Promise<void> {
  const { execa } = await import('execa');
  const result = await execa(program, args, { reject: false, cancelSignal: signal, stdin: 'ignore' });
  throwIfAborted(signal);
  if (!result.failed) return;
  const what = result.stderr?.trim() || result.shortMessage;
  throw new FlattenError('TOOL', `${program}: ${what}`, {
    hint: `the command was: ${result.command}`,
    cause: result,
  });
}
