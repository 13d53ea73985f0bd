import { compressor } from '../../compression/compress.js';
import { compressionOfRange, decompress } from '../../compression/decompress.js';
import type { Compression } from '../../compression/magic.js';
import type { Context } from '../../context.js';
import { FlattenError, throwIfAborted } from '../../errors.js';
import type { ByteRange } from '../../host/bytes.js';
import { chunksOf } from '../../host/bytes.js';
import type { Layer } from '../../layer/layer.js';
import { Meter } from '../../meter.js';
import type { Digest } from '../../oci/digest.js';
import { isHiddenXattr, type LayerTree } from '../../rootfs/layer-tree.js';
import { hashing } from '../archive/hash.js';
import { writeArchive } from '../archive/stream.js';
import type { WriteBytes } from '../archive/writer.js';
import { TarForm } from '../tar/members.js';

/** Bytes of a layer that are copied at once. */
const WINDOW = 1 << 20;

/** How a new layer is stored. */
export interface LayerCompression {
  readonly kind: 'none' | 'gzip' | 'zstd';
  /** Absent: the kind's usual one. */
  readonly level?: number;
}

/** What an image has to say of a layer. */
export interface LayerSums {
  /** Of the stored bytes. */
  readonly digest: Digest;
  /** Of the uncompressed tar. */
  readonly diffID: Digest;
  readonly compression: Compression;
}

/** Writes a tree as a layer: sparse files with their zeros, since few who unpack layers know them. */
export async function writeLayer(
  { rootfs, implied, hidden }: LayerTree,
  put: WriteBytes,
  compression: LayerCompression,
  context: Context,
): Promise<LayerSums> {
  const options = {
    sparse: false,
    implied,
    ...(hidden.count > 0 && { leavesOut: isHiddenXattr }),
  };
  await using stored = hashing(rootfs.bytes, put);
  if (compression.kind === 'none') {
    await writeArchive(rootfs, new TarForm(options), stored.write, context);
    const digest = await stored.digest();
    return { digest, diffID: digest, compression: 'none' };
  }
  const { kind, ...level } = compression;
  await using stream = compressor(kind, stored.write, { ...level, signal: context.signal });
  await using plain = hashing(rootfs.bytes, (bytes) => stream.write(bytes));
  await writeArchive(rootfs, new TarForm(options), plain.write, context);
  const diffID = await plain.digest();
  await stream.end();
  return { digest: await stored.digest(), diffID, compression: kind };
}

/** The bytes of a layer that is kept. Throws `UNSUPPORTED` for one that lies in no file. */
export function keptBytes({ stored, name }: Layer): ByteRange {
  if (stored === undefined) throw new FlattenError('UNSUPPORTED', `${name}: cannot be kept, only flattened`);
  return stored;
}

/** What an image has to say of a layer of the source that stays where it is. It is read only where the source does not say it. */
export async function keptSums(layer: Layer, context: Context): Promise<LayerSums> {
  const { digest, diffID } = layer;
  if (digest === undefined || diffID === undefined) return copyLayer(layer, async () => {}, context);
  return { digest, diffID, compression: compressionOfRange(keptBytes(layer)) };
}

/** Copies a layer of the source as it is stored. Throws `UNSUPPORTED` for one that lies in no file. */
export async function copyLayer(layer: Layer, put: WriteBytes, context: Context): Promise<LayerSums> {
  const stored = keptBytes(layer);
  const compression = compressionOfRange(stored);
  // No larger than the layer: there may be a thousand small ones, whose buffers would all wait for the collector.
  const buffer = Buffer.from(new SharedArrayBuffer(Math.min(WINDOW, Math.max(1, stored.length))));
  const meter = new Meter(context, 'write', stored.length);
  await using hash = hashing(stored.length, put);
  for (const chunk of chunksOf(stored, buffer)) {
    throwIfAborted(context.signal);
    await hash.write(chunk);
    meter.add(chunk.length);
  }
  meter.end();
  const digest = await hash.digest();
  const diffID =
    layer.diffID ?? (compression === 'none' ? digest : await uncompressedDigest(stored, context));
  return { digest: layer.digest ?? digest, diffID, compression };
}

async function uncompressedDigest(stored: ByteRange, context: Context): Promise<Digest> {
  const { uncompressedDigest, close } = await decompress(stored, context, { uncompressed: 'sha256' });
  close();
  return uncompressedDigest!;
}
