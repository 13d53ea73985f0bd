import { statSync } from 'node:fs';
import { FlattenError } from '../errors.js';
import type { Layer, LayerEntry } from '../layer/layer.js';
import { directoryLayer } from './rootfs.js';

/** A directory of this machine whose content is put into the tree. */
export interface AddedDirectory {
  readonly directory: string;
  /** Where in the tree; the root by default. */
  readonly path: string;
}

/**
 * A host directory as a layer on top: everything in it goes below `path` and belongs to root (0:0), as nobody's user
 * number on the machine that builds means anything in the image; modes, times and xattrs are the host's. The directory
 * that `path` names keeps its own metadata where it exists.
 */
export function addedLayer({ directory, path }: AddedDirectory): Layer {
  if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory()) {
    throw new FlattenError('NOT_FOUND', `{add: ${directory}}: no such directory`);
  }
  const layer = directoryLayer(directory, []);
  return {
    ...layer,
    name: `{add: ${directory}}`,
    async open(context) {
      const opened = await layer.open(context);
      return { ...opened, entries: () => placed(opened.entries(), bytes(path)) };
    },
  };
}

function* placed(entries: Iterable<LayerEntry>, path: string): Generator<LayerEntry> {
  for (const { entry, file } of entries) {
    if (entry.path === '.') continue;
    const linkpath = entry.type === 'link' ? `${path}/${entry.linkpath}` : entry.linkpath;
    yield { file, entry: { ...entry, path: `${path}/${entry.path}`, linkpath, uid: 0, gid: 0 } };
  }
}

function bytes(path: string): string {
  return Buffer.from(path, 'utf8').toString('latin1');
}
