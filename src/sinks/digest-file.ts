import { basename } from 'node:path';
import { ioError } from '../errors.js';
import type { Digest } from '../oci/digest.js';
import { stageFile } from './staging.js';

/** The file that holds an output's digest. */
export function digestFile(output: string): string {
  return `${output}.sha256`;
}

/**
 * Writes `OUTPUT.sha256`, as `sha256sum` would: the digest's digits, two blanks, the file's name without its directory.
 * With `force` a file or symlink of that name is replaced; nothing is written through a link.
 */
export async function writeDigestFile(
  output: string,
  digest: Digest,
  { force = false }: { readonly force?: boolean } = {},
): Promise<void> {
  const { outputFile } = await import('fs-extra/esm');
  const digits = digest.slice(digest.indexOf(':') + 1);
  const staging = await stageFile(digestFile(output), { force });
  try {
    await outputFile(staging.path, `${digits}  ${basename(output)}\n`, { flag: 'wx' });
    await staging.publish();
  } catch (error) {
    throw ioError(error, `${digestFile(output)}: cannot be written`);
  } finally {
    await staging.discard();
  }
}
