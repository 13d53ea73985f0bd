import { refuseZeros } from './archive/zeros.js';
import { type ArchiveSinkOptions, archiveSink } from './archive.js';
import type { Sink } from './sink.js';
import { TarForm } from './tar/members.js';

/** How a flat tar holds a tree: sparse files as such, ACLs in both forms. */
export const FLAT_TAR = { sparse: true, aclText: true };

/** Writes the tree as one tar, PAX. It holds all that a tree can say, so there are no losses. More is said of {@link archiveSink}. */
export function tarSink(output: string, options: ArchiveSinkOptions): Sink {
  return archiveSink(output, options, ({ rootfs, bounds }) => {
    refuseZeros(rootfs, FLAT_TAR, bounds);
    return { form: new TarForm(FLAT_TAR), losses: [] };
  });
}
