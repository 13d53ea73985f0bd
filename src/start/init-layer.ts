import { closeSync } from 'node:fs';
import { FlattenError, printable } from '../errors.js';
import { writeAll } from '../host/bytes.js';
import { unlinkedFile } from '../host/unlinked-file.js';
import type { Layer } from '../layer/layer.js';
import type { ImageConfig } from '../oci/config.js';
import { makeDirectory } from '../rootfs/make-directory.js';
import { type Directory, NO_XATTRS } from '../rootfs/node.js';
import { lookup } from '../rootfs/path.js';
import type { TarEntry } from '../tar/entry.js';
import { initOf } from './init.js';
import { settingsOf } from './settings.js';

/**
 * Makes a tree one that a machine can start: makes the directories that are mounted on or written to, where they are not there,
 * and gives the script as a layer, to be merged on top. `mtime` is of all that is made. Throws `UNSUPPORTED` for a tree without
 * the programs that it takes, `USAGE` where something else has a name, and what {@link settingsOf} throws.
 */
export function initLayer(path: string, config: ImageConfig, root: Directory, mtime: bigint): Layer {
  const bytes = Buffer.from(path).toString('latin1');
  const { text, directories, programs } = initOf(settingsOf(config, root, undefined), root);
  for (const made of directories) {
    const isThere = lookup(root, Buffer.from(made.path).toString('latin1'), { follow: true });
    if (isThere?.kind !== 'directory') makeDirectory(root, made, mtime);
  }
  const before = lookup(root, bytes);
  if (before !== undefined && programs.has(before))
    throw new FlattenError(
      'USAGE',
      `{addInit: ${printable(bytes)}}: is a program that the script runs itself`,
    );
  return textLayer(`{addInit: ${printable(bytes)}}`, bytes, Buffer.from(text), mtime);
}

/** A layer of one program: root's, for everybody to run. `path` is latin1. */
function textLayer(name: string, path: string, text: Buffer, mtime: bigint): Layer {
  return {
    name,
    size: text.length,
    isPlain: true,
    async open({ tmp }, loading) {
      const fd = unlinkedFile(tmp);
      writeAll(fd, text, 0);
      const entry: TarEntry = {
        ...{ path, type: 'file', linkpath: '', mode: 0o755, uid: 0, gid: 0, mtime, major: 0, minor: 0 },
        ...{ size: text.length, offset: 0, xattrs: NO_XATTRS },
      };
      return {
        size: text.length,
        verified: Promise.resolve(),
        entries: () => [{ entry, file: { order: loading?.order ?? 0, file: fd } }],
        close: () => closeSync(fd),
      };
    },
  };
}
