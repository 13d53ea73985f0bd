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
  /** Flattens `input` into an output in the empty `directory`, and lists it. */
  list(
    input: string,
    directory: string,
    options?: Omit<FlattenOptions, 'input' | 'output'>,
  ): Promise<readonly Row[]>;
}

/** The engine alone, nothing written. */
export const MEMORY: TestSink = { name: 'the tree in memory', needs: [], list: listInMemory };
export const DIRECTORY = through('directory', 'rootfs/', listDirectory, ['root', 'getfattr']);
export const FLAT_TAR = through('flat tar', 'rootfs.tar', listTar, ['python3']);

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
      const path = join(directory, output);
      await flatten({ ...options, input, output: path });
      return read(path);
    },
  };
}

async function listInMemory(
  input: string,
  _: string,
  options: Omit<FlattenOptions, 'input' | 'output'> = {},
): Promise<readonly Row[]> {
  const { keepDirlinks = false, image, onEvent = () => {}, verify = true } = options;
  const signal = new AbortController().signal;
  const context = { signal, tmp: tmpdir(), limits: DEFAULT_LIMITS, verify, report: onEvent };
  const opened = await openImage(input, image === undefined ? {} : { image }, context);
  try {
    const tree = await loadTree(opened.layers, { keepDirlinks }, context);
    try {
      await tree.verified;
      return listRootfs(tree.rootfs);
    } finally {
      tree.close();
    }
  } finally {
    await opened.close();
  }
}
