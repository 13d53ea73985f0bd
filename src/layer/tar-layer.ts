import { countsOf } from '../compression/counts.js';
import { compressionOfRange, decompress } from '../compression/decompress.js';
import { DecompressPool } from '../compression/decompress-pool.js';
import type { Context, WarningCode } from '../context.js';
import { FlattenError } from '../errors.js';
import type { ByteRange } from '../host/bytes.js';
import { readRange } from '../host/bytes.js';
import { algorithm, type Digest } from '../oci/digest.js';
import type { LayerFile } from '../rootfs/node.js';
import { scanTar } from '../tar/scan.js';
import { Allowance } from '../threads/allowance.js';
import type { SharedGrowth } from '../threads/growing.js';
import type { InputBounds } from './input-bounds.js';
import type { Layer, LayerEntry, OpenLayer } from './layer.js';
import type { Loading } from './loading.js';

/** A tar in an open file, perhaps a compressed one. */
export interface TarLayer {
  /** How errors name the layer. */
  readonly name: string;
  /** Stays open as long as the layer is used; who opened it closes it. */
  readonly blob: ByteRange;
  /** Of the blob as stored. */
  readonly digest?: Digest;
  /** Of the uncompressed tar. */
  readonly diffID?: Digest;
  /** {@link Layer.isPlain}. Then the tar should have an end, too: layers often lack it, but have digests to tell that they are whole. */
  readonly isPlain?: boolean;
  /** {@link Layer.bounds}. */
  readonly bounds?: InputBounds;
  /** The blob still arrives: how far, and when all of it is there, which fails with what ended it. Only for gzip and zstd. */
  readonly arriving?: { readonly growth: SharedGrowth; readonly whole: Promise<void> };
}

/**
 * A layer that is a tar. Uncompressed, it is used where it lies, and digested while it is read already; compressed, it is
 * unpacked and digested in one go. Errors name the layer; after a wrong digest, damage to the data goes unmentioned.
 */
export function tarLayer(layer: TarLayer): Layer {
  const { name, blob, digest, diffID, bounds, isPlain = false } = layer;
  return {
    name,
    ...(bounds && { bounds }),
    ...(digest && { digest }),
    ...(diffID && { diffID }),
    size: blob.length,
    isPlain,
    stored: blob,
    async open(context, shared) {
      const loading = shared ?? alone(context, bounds);
      try {
        const open = compressionOfRange(blob) === 'none' ? openInPlace : openCompressed;
        return await open(layer, context, loading);
      } catch (error) {
        throw inLayer(error, name);
      } finally {
        if (shared === undefined) void loading.threads.close();
      }
    },
  };
}

function alone({ limits }: Context, bounds: InputBounds | undefined): Loading {
  const allowance = new Allowance(limits.maxSize);
  const counts = countsOf(bounds?.limits ?? limits);
  return { threads: new DecompressPool(1), allowance, counts, order: 0, progress: () => {} };
}

async function openInPlace(layer: TarLayer, context: Context, loading: Loading): Promise<OpenLayer> {
  const { blob } = layer;
  loading.allowance.spend(blob.length);
  const closed = new AbortController();
  const signal = AbortSignal.any([context.signal, closed.signal]);
  const verified = context.digests ? verifyInPlace(layer, loading.threads, signal) : Promise.resolve();
  verified.catch(() => {}); // whoever writes the output awaits it
  return {
    entries: () => entriesOf(layer, blob, loading.order, context),
    size: blob.length,
    verified,
    close: () => closed.abort(),
  };
}

async function openCompressed(layer: TarLayer, context: Context, loading: Loading): Promise<OpenLayer> {
  const { name, blob, bounds, arriving } = layer;
  const { threads, allowance, counts, order, progress } = loading;
  const digest = context.digests ? layer.digest : undefined;
  const diffID = context.digests ? layer.diffID : undefined;
  const decompressed = await decompress(blob, context, {
    stored: digest && algorithm(digest),
    uncompressed: diffID && algorithm(diffID),
    onProgress: progress,
    allowances: bounds ? [allowance, bounds.temporary] : [allowance],
    counts,
    threads,
    ...(arriving && { growth: arriving.growth }),
  }).catch(async (error: unknown) => {
    // What did not arrive is not there to be unpacked, and why it did not is the error.
    if (error instanceof FlattenError && error.code === 'BAD_LAYER') await arriving?.whole;
    const isDamage = error instanceof FlattenError && error.code === 'BAD_LAYER';
    if (isDamage && digest) await verifyInPlace({ name, blob, digest }, threads, context.signal);
    throw error;
  });
  const { range, close } = decompressed;
  try {
    if (digest) compare('stored bytes', digest, decompressed.storedDigest);
    if (diffID) compare('uncompressed bytes', diffID, decompressed.uncompressedDigest);
  } catch (error) {
    close();
    throw error;
  }
  return {
    entries: () => entriesOf(layer, range, order, context),
    size: range.length,
    verified: Promise.resolve(),
    close,
  };
}

/** Compares both digests with the bytes as they are stored. */
async function verifyInPlace(layer: TarLayer, threads: DecompressPool, signal: AbortSignal): Promise<void> {
  const { name, blob, digest, diffID } = layer;
  const expected = [digest, diffID].filter((value) => value !== undefined);
  const [stored, uncompressed] = new Set(expected.map(algorithm)); // one and the same, as a rule
  if (stored === undefined) return;
  const job = { input: blob, compression: 'none', stored, uncompressed } as const;
  const result = await threads.runAside(job, { signal });
  const actual = (value: Digest) => (algorithm(value) === stored ? result.stored : result.uncompressed);
  try {
    for (const value of expected) compare(value === digest ? 'stored bytes' : 'bytes', value, actual(value));
  } catch (error) {
    throw inLayer(error, name);
  }
}

function compare(what: string, expected: Digest, actual: Digest | undefined): void {
  if (actual === expected) return;
  throw new FlattenError('DIGEST_MISMATCH', `the ${what} have the digest ${actual}, expected ${expected}`, {
    hint: 'the image is damaged: save or fetch it again ({digests: false} takes it as it is)',
  });
}

function* entriesOf(
  { name, isPlain = false }: TarLayer,
  range: ByteRange,
  order: number,
  { report }: Context,
): Generator<LayerEntry> {
  const file: LayerFile = { order, file: range.fd };
  const read = (target: Uint8Array, position: number) => readRange(range, target, position);
  const warn = (code: WarningCode, message: string) =>
    report({ type: 'warning', code, message: `${name}: ${message}`, layer: name });
  const onOpenEnd = () => warn('NO_END', 'the archive has no end: it may be cut short');
  const backup = { label: 0, names: 0 };
  const onBackup = (what: keyof typeof backup) => backup[what]++;
  try {
    const source = { read, size: range.length, origin: range.offset };
    for (const entry of scanTar(source, isPlain ? { onOpenEnd, onBackup } : {})) yield { entry, file };
    if (backup.label > 0) warn('LABEL', 'the label of the archive is skipped');
    if (backup.names > 0)
      warn(
        'BACKUP',
        `it is an incremental backup: the lists of names in ${backup.names} directories are skipped`,
      );
  } catch (error) {
    throw inLayer(error, name);
  }
}

function inLayer(error: unknown, name: string): unknown {
  return error instanceof FlattenError && error.code !== 'INTERRUPTED' ? error.inLayer(name) : error;
}
