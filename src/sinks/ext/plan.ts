import type { Context } from '../../context.js';
import { FlattenError } from '../../errors.js';
import { takeCensus } from '../../ext/census.js';
import type { ContentCrew } from '../../ext/content/crew.js';
import { planGeometry } from '../../ext/geometry.js';
import { uuidBytes, uuidOf } from '../../ext/identity.js';
import { numberInodes } from '../../ext/numbering.js';
import type { ImagePlan } from '../../ext/populate/populate.js';
import type { SizeOptions } from '../../ext/size-options.js';
import { hashSeed } from '../../ext/structures/hash.js';
import { survey } from '../../ext/survey.js';
import type { Rootfs } from '../../rootfs/node.js';
import { Losses } from '../loss.js';
import type { Loss, SinkOptions } from '../sink.js';
import type { Identity } from './format.js';

/** Options of a disk image. */
export interface ExtOptions extends SizeOptions {
  /** At most 16 bytes; none by default. */
  readonly label?: string;
  /** Default: derived from the tree, content included. */
  readonly uuid?: string;
  /** Seconds since 1970 for when the file system was made; default 1. Not later than when it is used, else e2fsck complains. */
  readonly time?: number;
  /** Compute the file's digest. Default false. */
  readonly digest?: boolean;
}

/** An image that can be written. */
export interface PlannedImage {
  readonly image: ImagePlan;
  readonly identity: Identity;
  readonly losses: readonly Loss[];
}

const MAX_LABEL = 16;
/** e2fsprogs take 0 for "look at the clock". */
const DEFAULT_TIME = 1;
const MAX_TIME = 2 ** 32 - 1;

/** Decides everything about an image without writing anything; reads all content once. */
export async function planImage(
  rootfs: Rootfs,
  options: ExtOptions & Pick<SinkOptions, 'strict'>,
  crew: ContentCrew,
  context: Pick<Context, 'report'>,
): Promise<PlannedImage> {
  const { label = '', time = DEFAULT_TIME } = options;
  const given = checkIdentity(options);
  const losses = new Losses(options);
  const tree = numberInodes(rootfs, Math.max(DEFAULT_TIME, time));
  const { runsOf, fingerprint } = await survey(tree, crew, context);
  const uuid = given?.toLowerCase() ?? uuidOf(fingerprint);
  const seed = hashSeed(uuidBytes(uuid)!);
  const { format } = options;
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
