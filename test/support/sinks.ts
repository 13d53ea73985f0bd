import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_LIMITS } from '../../src/context.js';
import { type FlattenOptions, flatten } from '../../src/flatten.js';
import { openImage } from '../../src/sources/open.js';
import { loadTree } from '../../src/tree.js';
import { listDirectory } from './list-directory.js';
import { listRootfs } from './list-rootfs.js';
import { listTar } from './list-tar.js';
import type { Row } from './listing.js';

/** A way to write an image's tree, and to read back by other means what was written. */
export interface TestSink {
  readonly name: string;
  /** What this machine must have. */
  readonly needs: readonly string[];
  /** Flattens `input` into a new output below `directory`, and lists it. */
  list(
    input: string,
    directory: string,
    options: Omit<FlattenOptions, 'input' | 'output'>,
  ): Promise<readonly Row[]>;
}

/** Every sink there is. A new one is a line here: then each case and each real image is written through it too. */
export const SINKS: readonly TestSink[] = [
  { name: 'the tree in memory', needs: [], list: listInMemory },
  through('directory', 'rootfs/', listDirectory, ['root', 'getfattr']),
  through('flat tar', 'rootfs.tar', listTar, ['python3']),
];

function through(
  name: string,
  output: string,
  read: (path: string) => readonly Row[],
  needed: readonly string[],
): TestSink {
  return {
    name,
    needs: needed,
    async list(input, directory, options) {
      const path = join(directory, 'out', output);
      mkdirSync(join(directory, 'out'), { recursive: true });
      await flatten({ ...options, input, output: path });
      return read(path);
    },
  };
}

async function listInMemory(
  input: string,
  _: string,
  { keepDirlinks = false, image, onEvent = () => {} }: Omit<FlattenOptions, 'input' | 'output'>,
): Promise<readonly Row[]> {
  const signal = new AbortController().signal;
  const context = { signal, tmp: tmpdir(), limits: DEFAULT_LIMITS, verify: true, report: onEvent };
  const opened = await openImage(input, image === undefined ? {} : { image }, context);
  const tree = await loadTree(opened.layers, { keepDirlinks }, context);
  try {
    await tree.verified;
    return listRootfs(tree.rootfs);
  } finally {
    tree.close();
    await opened.close();
  }
}
