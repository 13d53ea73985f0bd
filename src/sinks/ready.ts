import { accessSync, constants } from 'node:fs';
import type { Context } from '../context.js';
import { ioError } from '../errors.js';
import type { RegistryOptions } from '../registry/open.js';
import { digestFile } from './digest-file.js';
import { isStream, type Output } from './output.js';
import { locate } from './staging/place.js';
import { refuseExisting } from './staging.js';
import { filesBeside, type VerityOption } from './verity-names.js';

/**
 * Throws what is known of an output before there is an image for it: `OUTPUT_EXISTS` and `UNSUPPORTED` as
 * {@link refuseExisting} does, `NOT_FOUND` and `IO` for a directory that is missing or takes no files, `TOOL` for a
 * program that is not installed, `DENIED` and `NETWORK` for a registry that nothing may be pushed to. Changes nothing; what appears meanwhile is seen when
 * the output is written.
 */
export async function refuseUnready(
  output: Output,
  { force = false, sha256 = false, configOut = [], disk }: Wanted,
  { registries, ...context }: Means,
): Promise<void> {
  for (const { path } of configOut) {
    requireParent(path, path);
    refuseExisting(path, 'file', { force });
  }
  if (output.kind === 'image' && output.location.reference) {
    const { openDestination } = await import('../registry/open.js');
    const destination = await openDestination(output.location.reference, registries, context);
    await destination.refuseDenied(context.signal).finally(() => destination.close());
  }
  if (output.path === undefined || isStream(output)) return;
  requireParent(output.path, output.text);
  const kind = output.kind === 'directory' ? 'directory' : output.format === 'oci' ? 'layout' : 'file';
  refuseExisting(output.path, kind, { force });
  if (sha256) refuseExisting(digestFile(output.path), 'file', { force });
  if (output.kind !== 'disk') return;
  for (const path of filesBeside(output.path, disk?.verity)) {
    requireParent(path, path);
    refuseExisting(path, 'file', { force });
  }
  if (output.filesystem === 'squashfs') (await import('./squashfs/tool.js')).findSqfstar();
  else if (output.filesystem !== 'erofs') (await import('../ext/ext.js')).findExtTools();
}

/** How a registry is asked. */
interface Means extends Pick<Context, 'signal' | 'report'> {
  readonly registries: RegistryOptions;
}

interface Wanted {
  readonly force?: boolean;
  readonly sha256?: boolean;
  /** Files beside the output. */
  readonly configOut?: readonly { readonly path: string }[];
  readonly disk?: { readonly verity?: VerityOption };
}

function requireParent(path: string, text: string): void {
  try {
    accessSync(locate(path).parent, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw ioError(error, `${text}: cannot be written`);
  }
}
