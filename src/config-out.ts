import { dirname, relative } from 'node:path';
import { FlattenError, ioError } from './errors.js';
import type { Rootfs } from './rootfs/node.js';
import type { Output } from './sinks/output.js';
import { stageFile } from './sinks/staging.js';
import type { OpenedImage } from './sources/image.js';
import { type StartFormat, settingsOf, startText } from './start/start.js';

/** A file beside the output that says how a runtime starts the image. */
export interface ConfigOut {
  readonly path: string;
  /** Default `json`. */
  readonly format?: StartFormat;
}

/** A file that waits to be written. */
interface Text {
  readonly path: string;
  readonly text: string;
}

/** What the files will say. Throws `USAGE` for a root filesystem, which has no config, and what {@link settingsOf} throws. */
export function configTexts(
  files: readonly ConfigOut[],
  { config, digest, name }: OpenedImage,
  { root }: Rootfs,
  output: Output,
): readonly Text[] {
  if (config === undefined)
    throw new FlattenError('USAGE', `{configOut: ${files[0]!.path}}: ${name} has no config`);
  const settings = settingsOf(config, root, digest);
  return files.map(({ path, format = 'json' }) => {
    const rootfs = output.kind === 'directory' ? relative(dirname(path), output.path) || '.' : 'rootfs';
    return { path, text: startText(settings, format, root, rootfs) };
  });
}

/** Writes the files; with `force` in place of those that are there. */
export async function writeConfigs(
  texts: readonly Text[],
  { force = false }: { readonly force?: boolean },
): Promise<void> {
  for (const { path, text } of texts) {
    const { outputFile } = await import('fs-extra/esm');
    const staging = await stageFile(path, { force });
    try {
      await outputFile(staging.path, text, { flag: 'wx' });
      await staging.publish();
    } catch (error) {
      throw ioError(error, `${path}: cannot be written`);
    } finally {
      await staging.discard();
    }
  }
}
