import type { Context } from '../context.js';
import { ContentPool } from '../disk/content/pool.js';
import { uuidBytes, uuidOf } from '../disk/identity.js';
import { survey } from '../disk/survey.js';
import { FlattenError } from '../errors.js';
import type { Loss } from '../losses.js';
import { Losses } from '../losses.js';
import type { Rootfs } from '../rootfs/node.js';
import { takeCensus } from './census.js';
import type { Identity } from './format.js';
import { planGeometry } from './geometry.js';
import type { ImagePlan } from './image-plan.js';
import { numberInodes } from './numbering.js';
import type { SizeOptions } from './size-options.js';
import { hashSeed } from './structures/hash.js';

/** Options of a disk image. */
export interface ExtOptions extends SizeOptions {
  /** At most 16 bytes; none by default. */
  readonly label?: string;
  /** Default: derived from the tree, content included. */
  readonly uuid?: string;
  /** Seconds since 1970 for when the file system was made; default 1. Not later than when it is used, else e2fsck complains. */
  readonly time?: number;
}

/** An image that can be written. To be closed. */
export interface ExtPlan {
  readonly image: ImagePlan;
  readonly identity: Identity;
  readonly losses: readonly Loss[];
  /** The threads that have surveyed the content, and write it. */
  readonly pool: ContentPool;
  close(): Promise<void>;
}

const MAX_LABEL = 16;
/** e2fsprogs take 0 for "look at the clock". */
const DEFAULT_TIME = 1;
const MAX_TIME = 2 ** 32 - 1;

/**
 * Decides everything about an image without writing anything; reads all content once. Throws `USAGE` for options that make
 * no sense, `UNSUPPORTED` for what the format cannot hold, `LIMIT` for a size too small, `LOSS` where it is to be strict.
 */
export async function planExt(
  rootfs: Rootfs,
  options: ExtOptions & { readonly strict: boolean },
  context: Pick<Context, 'report' | 'signal'>,
): Promise<ExtPlan> {
  const pool = new ContentPool(context.signal);
  const close = () => pool.close();
  try {
    return { ...(await planned(rootfs, options, pool, context)), pool, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function planned(
  rootfs: Rootfs,
  options: ExtOptions & { readonly strict: boolean },
  pool: ContentPool,
  context: Pick<Context, 'report'>,
): Promise<Omit<ExtPlan, 'pool' | 'close'>> {
  const { label = '', time = DEFAULT_TIME, format } = options;
  const given = checkIdentity(options);
  const losses = new Losses(options);
  const tree = numberInodes(rootfs, Math.max(DEFAULT_TIME, time));
  const { runsOf, fingerprint } = await survey(tree, pool, context);
  const uuid = given?.toLowerCase() ?? uuidOf(fingerprint);
  const seed = hashSeed(uuidBytes(uuid)!);
  const lose = losses.add.bind(losses);
  const census = takeCensus(tree, { format, seed, runsOf, lose });
  const geometry = planGeometry(census.demand, options);
  const image = { tree, census, geometry, runsOf, seed, time: Math.max(DEFAULT_TIME, time) };
  return { image, identity: { uuid, label }, losses: losses.list() };
}

/** The UUID that was asked for. Throws `USAGE`. */
function checkIdentity({ label = '', uuid, time = DEFAULT_TIME }: ExtOptions): string | undefined {
  if (Buffer.byteLength(label) > MAX_LABEL || label.includes('\0')) {
    throw new FlattenError('USAGE', `{label: ${label}}: more than ${MAX_LABEL} bytes`);
  }
  if (uuid !== undefined && uuidBytes(uuid) === undefined) {
    throw new FlattenError('USAGE', `{uuid: ${uuid}}: not a UUID`, { hint: 'uuidgen prints one' });
  }
  if (!(Number.isInteger(time) && time >= 0 && time <= MAX_TIME)) {
    throw new FlattenError('USAGE', `${time}: not a time that a file system can be made at`);
  }
  return uuid;
}
