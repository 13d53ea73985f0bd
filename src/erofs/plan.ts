import type { Context } from '../context.js';
import { BLOCK } from '../disk/block.js';
import { ContentPool } from '../disk/content/pool.js';
import { uuidBytes, uuidOf } from '../disk/identity.js';
import { survey } from '../disk/survey.js';
import { FlattenError } from '../errors.js';
import { type Loss, Losses } from '../losses.js';
import type { Rootfs } from '../rootfs/node.js';
import { walk } from '../rootfs/walk.js';
import type { ImagePlan } from './image-plan.js';
import { LayoutBuilder } from './layout.js';
import { checkLimits } from './limits.js';
import { numberInodes } from './numbering.js';
import { shareContent } from './sharing.js';

/** Options of an EROFS image. */
export interface ErofsOptions {
  /** At most 15 bytes; none by default. */
  readonly label?: string;
  /** Default: derived from the tree, content included. */
  readonly uuid?: string;
  /** Seconds since 1970 for when the file system was made; default 0. */
  readonly time?: number;
}

/** An image that can be written. To be closed. */
export interface ErofsPlan {
  /** Of the file. */
  readonly bytes: number;
  readonly image: ImagePlan;
  readonly identity: { readonly uuid: string; readonly label: string; readonly time: number };
  readonly losses: readonly Loss[];
  /** The threads that have surveyed the content, and write it. */
  readonly pool: ContentPool;
  close(): Promise<void>;
}

/** Older kernels refuse a label of 16 bytes, which has no zero at its end. */
const MAX_LABEL = 15;

/**
 * Decides everything about an image without writing anything; reads all content once. Throws `USAGE` for options that make
 * no sense, `UNSUPPORTED` for what the format cannot hold, `LIMIT` for more than 16 TiB, `LOSS` where it is to be strict.
 */
export async function planErofs(
  rootfs: Rootfs,
  options: ErofsOptions & { readonly strict: boolean },
  context: Pick<Context, 'report' | 'signal'>,
): Promise<ErofsPlan> {
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
  options: ErofsOptions & { readonly strict: boolean },
  pool: ContentPool,
  context: Pick<Context, 'report' | 'signal'>,
): Promise<Omit<ErofsPlan, 'pool' | 'close'>> {
  checkIdentity(options);
  const { label = '', time = 0, uuid } = options;
  const losses = new Losses(options);
  for (const { path, node } of walk(rootfs.root)) checkLimits(path, node);
  const tree = numberInodes(rootfs.root);
  const layout = new LayoutBuilder(tree, losses.add.bind(losses));
  layout.placeOthers();
  const surveyed = await survey(tree, pool, context);
  layout.placeFiles(await shareContent(tree.files, surveyed, context.signal), surveyed);
  const image = layout.finish();
  const identity = { uuid: uuid?.toLowerCase() ?? uuidOf(surveyed.fingerprint), label, time };
  return { bytes: image.size.blocks * BLOCK, image, identity, losses: losses.list() };
}

function checkIdentity({ label = '', uuid }: ErofsOptions): void {
  if (Buffer.byteLength(label) > MAX_LABEL || label.includes('\0'))
    throw new FlattenError(
      'USAGE',
      `{label: ${label}}: more than ${MAX_LABEL} bytes, which is what erofs holds`,
    );
  if (uuid !== undefined && uuidBytes(uuid) === undefined)
    throw new FlattenError('USAGE', `{uuid: ${uuid}}: not a UUID`, { hint: 'uuidgen prints one' });
}
