import type { Readable } from 'node:stream';
import { FlattenError } from '../errors.js';

/**
 * Reads a body that has to be a small one. A larger one is a `LIMIT` error that calls it `what`; with `isCut`, what there is beyond
 * the limit is left out.
 */
export async function smallBody(
  body: Readable,
  limit: number,
  { what, isCut = false }: { readonly what: string; readonly isCut?: boolean },
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      size += chunk.length;
      chunks.push(chunk);
      if (size > limit && isCut) break;
      if (size > limit) throw new FlattenError('LIMIT', `${what}: has more than ${limit} bytes`);
    }
  } finally {
    body.destroy();
  }
  return Buffer.concat(chunks).subarray(0, limit);
}
