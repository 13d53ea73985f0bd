import { serve } from '../threads/serve.js';
import type { Block, Codec, CompressedBlock } from './block.js';

type Compress = (bytes: Uint8Array, level: number) => Uint8Array<ArrayBuffer>;

const loaded = new Map<Codec, Promise<Compress>>();

/** One is JavaScript, one WebAssembly: their results are the same on every machine. */
async function load(codec: Codec): Promise<Compress> {
  if (codec === 'gzip') {
    const { gzipSync } = await import('fflate');
    return (bytes, level) => gzipSync(bytes, { level: level as 6, mtime: 0 }) as Uint8Array<ArrayBuffer>;
  }
  const zstd = await import('@bokuweb/zstd-wasm');
  await zstd.init();
  return zstd.compress as Compress;
}

serve<Block, CompressedBlock>({
  async work({ codec, level, block, length }) {
    if (!loaded.has(codec)) loaded.set(codec, load(codec));
    const compress = await loaded.get(codec)!;
    return { bytes: compress(new Uint8Array(block, 0, length), level), block };
  },
  transfer: ({ bytes, block }) => [bytes.buffer, block],
});
