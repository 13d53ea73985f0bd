import { imageIn, writeExt } from './images.js';
import { specimen } from './specimen.js';

/** Writes the specimen as ext3 and ext4 into the directory that is its argument, under the umask that comes second. */
const [directory, umask] = process.argv.slice(2);
process.umask(Number(umask));
const cleanups: (() => void)[] = [];
const rootfs = specimen({ after: (cleanup: () => void) => cleanups.push(cleanup) } as never);
for (const format of ['ext3', 'ext4'] as const) {
  await writeExt(rootfs, imageIn(directory!, format), { format });
}
for (const cleanup of cleanups.reverse()) cleanup();
