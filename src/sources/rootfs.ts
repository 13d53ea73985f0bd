import { realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Context } from '../context.js';
import type { ByteRange } from '../host/bytes.js';
import { type XattrReader, xattrReader } from '../host/xattrs.js';
import type { InputBounds } from '../layer/input-bounds.js';
import type { Layer } from '../layer/layer.js';
import { tarLayer } from '../layer/tar-layer.js';
import { NO_XATTRS } from '../rootfs/node.js';
import { hostTree } from './host-tree.js';
import type { OpenedImage } from './image.js';

/** A root filesystem in a tar, perhaps a compressed one: an image of one layer that nothing is known about. */
export function tarRootfs(name: string, blob: ByteRange, bounds: InputBounds): OpenedImage {
  return { name, kind: 'rootfs', layers: [tarLayer({ name, blob, bounds, isPlain: true })] };
}

/** A root filesystem in a directory of this machine. `exclude` lists paths to leave out, such as the output. */
export function directoryRootfs(name: string, exclude: readonly string[]): OpenedImage {
  return { name, kind: 'rootfs', layers: [directoryLayer(name, exclude)] };
}

/** A directory of this machine as a layer; paths in `exclude` are left out. */
export function directoryLayer(name: string, exclude: readonly string[]): Layer {
  return {
    name,
    size: 0,
    isPlain: true,
    async open(context) {
      const root = realpathSync(name);
      const options = {
        xattrs: await readerOfXattrs(root, context),
        exclude: new Set(exclude.map((path) => latin1(located(path)))),
      };
      return {
        size: 0,
        verified: Promise.resolve(),
        entries: () => hostTree(latin1(root === '/' ? '' : root), options, context),
        close() {},
      };
    },
  };
}

/** Reads no xattrs, and says so, where this machine has no way to. */
async function readerOfXattrs(root: string, { signal, report }: Context): Promise<XattrReader> {
  const reader = await xattrReader(root, signal);
  if (reader !== undefined) return reader;
  report({
    type: 'warning',
    code: 'NO_XATTRS',
    message: `${root}: xattrs are not read: install the optional package koffi, or the command getfattr`,
  });
  return () => NO_XATTRS;
}

/** A path with all links resolved but its last, which may not be there yet. */
function located(path: string): string {
  const absolute = resolve(path);
  try {
    return join(realpathSync(dirname(absolute)), basename(absolute));
  } catch {
    return absolute;
  }
}

/** Text as Node has it, as the bytes that the system has it in. */
function latin1(path: string): string {
  return Buffer.from(path, 'utf8').toString('latin1');
}
