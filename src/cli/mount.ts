import { closeSync, constants, fstatSync, openSync, readSync, realpathSync } from 'node:fs';
import type { Command } from 'commander';
import { diskKindOf, EXT_SUPERBLOCK } from '../disk-magic.js';
import { FlattenError, ioError } from '../errors.js';
import { mounts } from '../host/mounts.js';
import { system } from './mount/system.js';
import type { VerityFlags } from './mount/verity.js';
import { addReportOptions, type ReportFlags, reportDone } from './report.js';
import { addMountVerity } from './seal-options.js';

const OPTIONS = ['ro', 'noatime', 'nodiratime'];
/** Where an ext superblock has its features. */
const [COMPATIBLE, INCOMPATIBLE] = [EXT_SUPERBLOCK + 92, EXT_SUPERBLOCK + 96];
const [HAS_JOURNAL, NEEDS_RECOVERY] = [4, 4];
/** What mounts an image without root. */
const WITH_FUSE = { ext: 'fuse2fs -o ro', erofs: 'erofsfuse', squashfs: 'squashfuse' } as const;

/** `flatten mount IMAGE DIR` and `flatten unmount DIR`. */
export function addMount(program: Command, signal: AbortSignal): void {
  const mount = program
    .command('mount')
    .summary('Mount a disk image read-only')
    .description(
      `Mounts a disk image by a loop device: mount -o loop,${OPTIONS.join(',')}. It takes root.
Where DISK.verity.json says that there is a hash tree, it is mounted by dm-verity: the kernel checks each block that it reads.`,
    )
    .argument('<disk>', 'A disk image: FILE.img, .ext2, .ext3, .ext4, .erofs, .squashfs')
    .argument('<dir>', 'An existing directory')
    .action(async (image: string, directory: string, flags: ReportFlags & VerityFlags) => {
      const { kind, options: own, isDirty, hasJournal } = lookAt(image);
      if (isDirty && !flags.quiet) {
        process.stderr.write(`flatten: ${image} was not unmounted cleanly: mounting it as it is (noload)\n`);
      }
      const { openVerity, sealFor } = await import('./mount/verity.js');
      const seal = await sealFor(image, flags);
      await requireRoot(`flatten mount ${image} ${directory}`, `${WITH_FUSE[kind]} ${image} ${directory}`);
      const device = seal && (await openVerity(seal, signal));
      // On a device of dm-verity nobody can replay a journal.
      const more = hasJournal && !isDirty ? ['noload'] : [];
      const options = device === undefined ? ['loop', ...own] : [...own, ...more];
      await mountAt(device ?? image, directory, options, signal);
      const verity = seal && { device, rootHash: seal.rootHash };
      reportDone({ image, directory, options, ...(verity && { verity }) }, flags);
    });
  addReportOptions(addMountVerity(mount));
  const unmount = program
    .command('unmount')
    .summary('Unmount what flatten mount has mounted')
    .description('Unmounts a disk image. It takes root.')
    .argument('<dir>', 'The directory it is mounted on')
    .action(async (directory: string, flags: ReportFlags) => {
      await requireRoot(`flatten unmount ${directory}`, `fusermount -u ${directory}`);
      const device = deviceAt(directory);
      await system('umount', ['--', directory], signal);
      const { closeVerity, isVerityDevice } = await import('./mount/verity.js');
      if (isVerityDevice(device)) await closeVerity(device, signal);
      reportDone({ directory }, flags);
    });
  addReportOptions(unmount);
}

/** Mounts; a device of dm-verity that cannot be mounted is closed. */
async function mountAt(
  device: string,
  directory: string,
  options: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  try {
    await system('mount', ['-o', options.join(','), '--', device, directory], signal);
  } catch (error) {
    const { closeVerity, isVerityDevice } = await import('./mount/verity.js');
    if (isVerityDevice(device)) await closeVerity(device, new AbortController().signal);
    throw error;
  }
}

/** How an image is mounted. */
interface Looked {
  readonly kind: keyof typeof WITH_FUSE;
  readonly options: readonly string[];
  /** A journal waits to be replayed. */
  readonly isDirty: boolean;
  readonly hasJournal: boolean;
}

/** Which file system an image has, and how it is mounted. A journal that waits to be replayed cannot be, on a read-only mount of a read-only file; then it must not be loaded. */
function lookAt(image: string): Looked {
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
  if (kind === 'erofs' || kind === 'squashfs')
    return { kind, options: OPTIONS, isDirty: false, hasJournal: false };
  if (kind === undefined) {
    throw new FlattenError('USAGE', `${image}: is no ext2, ext3, ext4, EROFS or squashfs image`, {
      hint: `make one: flatten IMAGE -o disk.img`,
    });
  }
  const isDirty = (superblock.readUInt32LE(INCOMPATIBLE) & NEEDS_RECOVERY) !== 0;
  const hasJournal = (superblock.readUInt32LE(COMPATIBLE) & HAS_JOURNAL) !== 0;
  return { kind, options: isDirty ? [...OPTIONS, 'noload'] : OPTIONS, isDirty, hasJournal };
}

/** What is mounted; throws `USAGE` where it is no disk image. */
function deviceAt(directory: string): string {
  let path: string;
  try {
    path = realpathSync(directory);
  } catch (error) {
    throw ioError(error, directory);
  }
  const mount = mounts().findLast(({ point }) => point === path);
  if (mount === undefined) throw new FlattenError('USAGE', `${directory}: nothing is mounted there`);
  if (
    !/^(ext[234]|erofs|squashfs)$/.test(mount.kind) ||
    !/^\/dev\/(loop|mapper\/flatten-)/.test(mount.source)
  ) {
    throw new FlattenError('USAGE', `${directory}: what is mounted there is no disk image`, {
      hint: `umount ${directory}`,
    });
  }
  return mount.source;
}

async function requireRoot(command: string, withFuse: string): Promise<void> {
  if (process.getuid?.() === 0) return;
  const { execa } = await import('execa');
  const { failed } = await execa(withFuse.split(' ')[0]!, ['-V'], { reject: false });
  const fuse = failed ? '' : `, or without root: ${withFuse}`;
  throw new FlattenError('IO', 'mounting takes root', { hint: `sudo ${command}${fuse}` });
}
