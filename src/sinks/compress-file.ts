import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { Codec } from '../compression/block.js';
import { compressor } from '../compression/compress.js';
import type { Context } from '../context.js';
import { Meter } from '../meter.js';
import type { Digest } from '../oci/digest.js';
import { toDescriptor } from './archive/writer.js';

const WINDOW = 1 << 20;

/** Compresses a file into a new one, the phase `compress`; gives the new one's size and digest. The same bytes in give the same bytes out. */
export async function compressFile(
  from: string,
  to: string,
  codec: Codec,
  context: Pick<Context, 'signal' | 'report'>,
): Promise<{ bytes: number; digest: Digest }> {
  const hash = createHash('sha256');
  let bytes = 0;
  const source = await open(from, 'r');
  try {
    const target = await open(to, 'wx', 0o666);
    try {
      const write = toDescriptor(target.fd);
      const put = async (chunk: Uint8Array) => {
        hash.update(chunk);
        bytes += chunk.length;
        await write(chunk);
      };
      await using stream = compressor(codec, put, { signal: context.signal });
      const window = Buffer.allocUnsafe(WINDOW);
      const meter = new Meter(context, 'compress', (await source.stat()).size);
      for (;;) {
        const { bytesRead } = await source.read(window, 0, WINDOW, null);
        if (bytesRead === 0) break;
        await stream.write(window.subarray(0, bytesRead));
        meter.add(bytesRead);
      }
      await stream.end();
      meter.end();
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
  return { bytes, digest: `sha256:${hash.digest('hex')}` };
}
