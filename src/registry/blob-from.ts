import { FlattenError } from '../errors.js';
import type { Descriptor } from '../oci/descriptor.js';
import { short } from '../oci/digest.js';
import { shown } from '../oci/shown.js';
import { type BlobSource, blobBytes, type Part } from './blob-stream.js';
import type { Client } from './client.js';
import type { Answer } from './exchange.js';
import type { Waiting } from './patience.js';
import { firstRange, inRanges, LARGE, type RangeBuffers } from './ranges.js';

/** Addresses of one layer that are tried. */
const ADDRESSES = 8;

/** What a descriptor says of a blob. */
export type WantedBlob = Pick<Descriptor, 'digest' | 'size'> & Partial<Pick<Descriptor, 'urls'>>;

/** Asks for a blob; whatever is not the blob is thrown. */
export type AskBlob = (request: {
  readonly signal: AbortSignal;
  readonly headers: Readonly<Record<string, string>>;
}) => Promise<Answer>;

/** How a blob is fetched. */
interface Wanted {
  readonly descriptor: WantedBlob;
  /** The first byte that is wanted. */
  readonly offset: number;
  readonly signal: AbortSignal;
  readonly waiting: Waiting;
  readonly buffers: RangeBuffers;
}

/** The bytes of a blob from whoever answers: they resolve when they begin to come. Large blobs come by several connections. */
export async function blobFrom(
  askBlob: AskBlob,
  { descriptor, offset, signal, waiting, buffers }: Wanted,
): Promise<AsyncIterable<Uint8Array>> {
  const { size } = descriptor;
  const ask = ({ start, end }: Part, asking: AbortSignal): Promise<Answer> => {
    const isPart = start > 0 || end < size;
    const range = isPart && { range: `bytes=${start}-${end - 1}` };
    return askBlob({ signal: asking, headers: { 'accept-encoding': 'identity', ...range } });
  };
  if (offset >= size && size > 0) return nothing();
  const source: BlobSource = { descriptor, ask, waiting, signal };
  const whole = { start: offset, end: size };
  if (size - offset <= LARGE) return blobBytes(await ask(whole, signal), whole, source);
  const first = await ask(firstRange(offset, size), signal);
  if (first.status === 206) return inRanges(first, whole, source, buffers);
  return blobBytes(first, whole, source);
}

/**
 * The bytes of a foreign layer, which its registry does not have, from the first of its addresses that has it (image specification, descriptors): by https, and
 * not from private addresses where the registry has none. Throws `DENIED` unless that is allowed.
 */
export async function foreignBlob(
  urls: readonly string[],
  wanted: Wanted,
  client: Client,
  isAllowed = false,
): Promise<AsyncIterable<Uint8Array>> {
  const name = `blob ${short(wanted.descriptor.digest)}`;
  const failures: string[] = [];
  if (!isAllowed)
    throw new FlattenError(
      'DENIED',
      `${name}: is a foreign layer: ${client.host} does not have it, but ${urls.slice(0, ADDRESSES).map(bare).join(' or ')}`,
      { hint: 'if you trust whoever made the image: {allowForeignLayers}' },
    );
  for (const url of urls.slice(0, ADDRESSES)) {
    const ask: AskBlob = async (request) => {
      const answer = await client.askForeign(url, request);
      if (answer.status === 200 || answer.status === 206) return answer;
      answer.body.destroy();
      throw new FlattenError('NETWORK', `${bare(url)} answers ${answer.status}`);
    };
    try {
      return await blobFrom(ask, wanted);
    } catch (error) {
      if (!(error instanceof FlattenError) || error.code === 'INTERRUPTED') throw error;
      failures.push(error.message);
    }
  }
  throw new FlattenError(
    'NOT_FOUND',
    `${name}: is a foreign layer that is not to be had: ${failures.join('; ')}`,
  );
}

/** An address without what may be a secret. */
function bare(url: string): string {
  if (!URL.canParse(url)) return shown(url);
  const { protocol, host, pathname } = new URL(url);
  return shown(`${protocol}//${host}${pathname}`);
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
