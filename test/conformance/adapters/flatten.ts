import { fileURLToPath } from 'node:url';
import {
  CPIO,
  DIRECTORY,
  DOCKER_ARCHIVE,
  EROFS,
  FLAT_TAR,
  SQUASHFS,
  type TestSink,
} from '../../support/sinks.js';
import { quoted } from '../shell.js';
import type { Adapter } from './adapter.js';

const PROGRAM = quoted(fileURLToPath(new URL('../../../src/cli.js', import.meta.url)));
const version = `node ${PROGRAM} --version`;

const through = (name: string, sink: TestSink): Adapter => ({
  name: `flatten, ${name}`,
  needs: sink.needs,
  version,
  form: 'oci',
  how: sink,
});

/** What is to be seen of each of our sinks by other means. */
export const OURS: readonly Adapter[] = [
  through('directory', DIRECTORY),
  through('tar', FLAT_TAR),
  {
    name: 'flatten, ext4',
    needs: ['root', 'mke2fs', 'mount'],
    version,
    form: 'oci',
    how: {
      run: `node ${PROGRAM} {image} -q -o {bundle}/disk.ext4 && mkdir {rootfs} && mount -o loop,ro {bundle}/disk.ext4 {rootfs}`,
      after: 'umount {rootfs}',
      adds: (path) => path === 'lost+found',
    },
  },
  through('EROFS', EROFS),
  through('squashfs', SQUASHFS),
  through('cpio', CPIO),
  through('image of one layer', DOCKER_ARCHIVE),
];
