import { parentPort } from 'node:worker_threads';
import type { PackKind } from './pack.js';

/** A block to compress; its memory goes to the thread and comes back with the {@link PackReply}. */
export interface PackRequest {
  readonly kind: PackKind;
  readonly level: number;
  readonly block: ArrayBuffer;
  /** Bytes of the block that count. */
  readonly length: number;
}

export interface PackReply {
  /** A gzip member or a zstd frame. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly block: ArrayBuffer;
}

type Compress = (bytes: Uint8Array, level: number) => Uint8Array<ArrayBuffer>;

const compressors = new Map<PackKind, Promise<Compress>>();

/** One is JavaScript, one WebAssembly: their results are the same on every machine. */
async function load(kind: PackKind): Promise<Compress> {
  if (kind === 'gzip') {
    const { gzipSync } = await import('fflate');
    return (bytes, level) => gzipSync(bytes, { level: level as 6, mtime: 0 }) as Uint8Array<ArrayBuffer>;
  }
  const zstd = await import('@bokuweb/zstd-wasm');
  await zstd.init();
  return zstd.compress as Compress;
}

parentPort!.on('message', async ({ kind, level, block, length }: PackRequest) => {
  if (!compressors.has(kind)) compressors.set(kind, load(kind));
  const compress = await compressors.get(kind)!;
  const bytes = compress(new Uint8Array(block, 0, length), level);
  const reply: PackReply = { bytes, block };
  parentPort!.postMessage(reply, [bytes.buffer, block]);
});
