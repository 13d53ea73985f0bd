import { FlattenError } from '../errors.js';
import { type Digest, short } from '../oci/digest.js';
import { distance, formatPlatform, linuxOn, type Platform } from '../oci/platform.js';
import { digestFits, digestWanted, nameFit } from '../oci/reference.js';
import { shown } from '../oci/shown.js';
import type { Choice } from './image.js';

/** One of the things that a source holds. */
export interface Candidate {
  readonly names: readonly string[];
  /** What it may be called by; two candidates with the same first one are the same image. */
  readonly digests: readonly Digest[];
  readonly platform?: Platform;
  /** Why it cannot be opened: thrown when it is the one that is meant. */
  readonly error?: FlattenError;
  /** It is no image, or not there: passed over unless it is asked for. */
  readonly hidden?: boolean;
}

/** How many images, or descriptors of them, a source may list. */
export const COUNT_LIMIT = 10_000;

/** Lines that a hint lists at most. */
const LINES = 20;

/**
 * Picks the one image that `choice` means among those of `source` (its name, for messages).
 *
 * Without a platform, this machine's is preferred, and a single image is taken whatever its platform. `NOT_FOUND` and
 * `AMBIGUOUS` errors list what there is; what cannot be opened throws its own error once it is the one chosen.
 */
export function choose<C extends Candidate>(candidates: readonly C[], choice: Choice, source: string): C {
  const distinct = withoutCopies(candidates);
  const named = choice.image === undefined ? distinct : asked(distinct, choice.image);
  if (named.length === 0) {
    const what = choice.image === undefined ? 'holds no image' : `holds no image ${choice.image}`;
    throw new FlattenError('NOT_FOUND', `${source}: ${what}`, listing('it has', distinct));
  }
  const visible = named.filter((candidate) => !candidate.hidden);
  const chosen =
    visible.length === 0 ? onlyHidden(named, choice, source) : onPlatform(visible, named, choice, source);
  if (chosen.error) throw chosen.error;
  return chosen;
}

/**
 * Picks all images of one name, whatever their platforms, in the source's order; `choice.platform` does not count. Errors
 * are those of {@link choose}; images of several names are `AMBIGUOUS`.
 */
export function chooseAll<C extends Candidate>(
  candidates: readonly C[],
  choice: Choice,
  source: string,
): readonly C[] {
  const distinct = withoutCopies(candidates);
  const named = choice.image === undefined ? distinct : asked(distinct, choice.image);
  const visible = named.filter((candidate) => !candidate.hidden);
  if (visible.length < 2) return [choose(candidates, choice, source)];
  if (new Set(visible.map(({ names }) => names.join('\n'))).size > 1) {
    throw new FlattenError(
      'AMBIGUOUS',
      `${source}: images of several names may be meant`,
      listing('choose one with {reference: NAME} or {reference: DIGEST}', visible),
    );
  }
  for (const { error } of visible) if (error) throw error;
  return visible;
}

/** Several names of one image are one candidate with several names. */
function withoutCopies<C extends Candidate>(candidates: readonly C[]): C[] {
  const copies = new Map<Digest | C, C[]>();
  for (const candidate of candidates) {
    const key = candidate.digests[0] ?? candidate;
    const known = copies.get(key);
    if (known) known.push(candidate);
    else copies.set(key, [candidate]);
  }
  return [...copies.values()].map((same) => ({
    ...(same.find(({ hidden }) => !hidden) ?? same[0]!),
    names: [...new Set(same.flatMap(({ names }) => names))],
    digests: [...new Set(same.flatMap(({ digests }) => digests))],
  }));
}

/** The candidates that a name or digest means; those whose name fits best, when it is a name. */
function asked<C extends Candidate>(candidates: readonly C[], wanted: string): C[] {
  const fits = candidates.map(({ names }) => least(names.map((name) => nameFit(wanted, name) ?? Infinity)));
  const best = least(fits);
  if (best < Infinity) return candidates.filter((_, index) => fits[index] === best);
  const digest = digestWanted(wanted);
  if (digest === undefined) return [];
  return candidates.filter(({ digests }) => digests.some((offered) => digestFits(digest, offered)));
}

/** Math.min takes its arguments from the stack, which an archive with very many names would use up. */
function least(numbers: readonly number[]): number {
  return numbers.reduce((low, each) => Math.min(low, each), Infinity);
}

function onlyHidden<C extends Candidate>(candidates: readonly C[], choice: Choice, source: string): C {
  const [only] = candidates;
  if (only !== undefined && (choice.image !== undefined || candidates.length === 1)) return only;
  throw new FlattenError('NOT_FOUND', `${source}: holds no image`, listing('it has', candidates));
}

function onPlatform<C extends Candidate>(visible: C[], named: C[], choice: Choice, source: string): C {
  const wanted = choice.platform ?? linuxOn(process.arch);
  const fitting = closest(visible, wanted);
  if (fitting.length === 1) return fitting[0]!;
  if (choice.platform === undefined && visible.length === 1) return visible[0]!;
  const which = choice.image === undefined ? 'image' : `image ${choice.image}`;
  if (fitting.length === 0) {
    const left = named.find(({ hidden, platform }) => hidden && platform && distance(wanted, platform) === 0);
    if (left) return left;
    throw new FlattenError(
      'NOT_FOUND',
      `${source}: holds no ${which} for ${formatPlatform(wanted)}`,
      listing('choose another with {platform}', visible),
    );
  }
  throw new FlattenError(
    'AMBIGUOUS',
    `${source}: ${fitting.length} images may be meant`,
    listing('choose one with {reference: NAME} or {reference: DIGEST}', fitting),
  );
}

/**
 * Those that fit a platform: of the images of one name for several variants, only the newest that runs there. Images
 * that say no platform count when no other one fits.
 */
function closest<C extends Candidate>(candidates: readonly C[], wanted: Platform): C[] {
  const nearest = new Map<string, number>();
  const fitting: { candidate: C; name: string; far: number }[] = [];
  for (const candidate of candidates) {
    const far = candidate.platform && distance(wanted, candidate.platform);
    if (far === undefined) continue;
    const name = candidate.names.join('\n');
    nearest.set(name, Math.min(far, nearest.get(name) ?? far));
    fitting.push({ candidate, name, far });
  }
  if (fitting.length === 0) return candidates.filter(({ platform }) => platform === undefined);
  return fitting.filter(({ name, far }) => far === nearest.get(name)).map(({ candidate }) => candidate);
}

function listing(lead: string, candidates: readonly Candidate[]): { hint?: string } {
  if (candidates.length === 0) return {};
  const lines = [...new Set(candidates.map(line))].sort();
  const more = lines.length > LINES ? [`… and ${lines.length - LINES} more`] : [];
  return { hint: [`${lead}:`, ...lines.slice(0, LINES), ...more].join('\n  ') };
}

function line({ names, digests, platform, error, hidden }: Candidate): string {
  const some = names.length > 4 ? [...names.slice(0, 4), `… (${names.length} names)`] : names;
  return [
    some.map(shown).join(', ') || '(no name)',
    digests[0] && short(digests[0]),
    platform && shown(formatPlatform(platform)),
    error && (hidden ? `(${error.what.slice(error.what.lastIndexOf(': ') + 2)})` : '(broken)'),
  ]
    .filter(Boolean)
    .join('  ');
}
