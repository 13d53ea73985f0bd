import { FlattenError } from '../errors.js';
import { Losses } from '../losses.js';
import type { Node, Rootfs } from '../rootfs/node.js';
import { walk } from '../rootfs/walk.js';
import { sizeText } from '../size-text.js';
import { isWhole } from './archive/whole-seconds.js';
import { refuseZeros } from './archive/zeros.js';
import { type ArchiveSinkOptions, archiveSink } from './archive.js';
import { CpioForm } from './cpio/form.js';
import type { Sink } from './sink.js';

/** Bytes: the header has 32 bits for a file's size. */
const MAX_FILE = 2 ** 32 - 1;

/**
 * Writes the tree as a cpio archive of the form `newc`, which Linux takes as its initramfs. Xattrs, fractions of seconds and
 * times before 1970 or past 2106 are losses; holes are written as zeros. Throws `UNSUPPORTED`, before anything is
 * written, for a file of 4 GiB or more. More is said of {@link archiveSink}.
 */
export function cpioSink(output: string, options: ArchiveSinkOptions): Sink {
  return archiveSink(output, options, ({ rootfs, bounds }) => {
    refuseZeros(rootfs, { sparse: false }, bounds);
    return { form: new CpioForm(), losses: lossesOf(rootfs, options) };
  });
}

function lossesOf({ root }: Rootfs, options: ArchiveSinkOptions) {
  const losses = new Losses(options);
  const seen = new Set<Node>();
  for (const { path, node } of walk(root)) {
    if (node.kind === 'file' && node.content.size > MAX_FILE) {
      throw new FlattenError(
        'UNSUPPORTED',
        `a file of ${sizeText(node.content.size)}: cpio holds at most ${sizeText(MAX_FILE)}`,
        {
          path,
          hint: 'leave the file out with {exclude}, or choose another output',
        },
      );
    }
    if (seen.has(node)) continue;
    if (node.nlink > 1) seen.add(node);
    const { xattrs, mtime } = node.meta;
    if (xattrs.size > 0) losses.add('xattr', path, 'cpio has none');
    if (!isWhole(mtime)) losses.add('mtime', path, 'cpio holds whole seconds, from 1970 to 2106');
  }
  return losses.list();
}
