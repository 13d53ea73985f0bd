import { basename } from 'node:path';
import type { Digest } from '../oci/digest.js';

/** Writes `OUTPUT.sha256`, as `sha256sum` would: the digest's digits, two blanks, the file's name without its directory. */
export async function writeDigestFile(output: string, digest: Digest): Promise<void> {
  const { outputFile } = await import('fs-extra/esm');
  const digits = digest.slice(digest.indexOf(':') + 1);
  await outputFile(`${output}.sha256`, `${digits}  ${basename(output)}\n`);
}
