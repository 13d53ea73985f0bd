import { basename } from 'node:path';
import { ioError } from '../errors.js';
import type { Digest } from '../oci/digest.js';

/** The file that holds an output's digest. */
export function digestFile(output: string): string {
  return `${output}.sha256`;
}

/** Writes `OUTPUT.sha256`, as `sha256sum` would: the digest's digits, two blanks, the file's name without its directory. */
export async function writeDigestFile(output: string, digest: Digest): Promise<void> {
  const { outputFile } = await import('fs-extra/esm');
  const digits = digest.slice(digest.indexOf(':') + 1);
  try {
    await outputFile(digestFile(output), `${digits}  ${basename(output)}\n`);
  } catch (error) {
    throw ioError(error, `${digestFile(output)}: cannot be written`);
  }
}
