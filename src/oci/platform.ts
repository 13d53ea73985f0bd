import { FlattenError } from '../errors.js';
import type { Json } from './json.js';

/** An image's platform, in Go's words, as the image specification has it. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

/** What people and kernels call an architecture, in Go's words; `variant` where the name says it. */
const ALIASES: Readonly<Record<string, readonly [architecture: string, variant?: string]>> = {
  x86_64: ['amd64'],
  'x86-64': ['amd64'],
  x64: ['amd64'],
  i386: ['386'],
  i686: ['386'],
  ia32: ['386'],
  x86: ['386'],
  aarch64: ['arm64'],
  armhf: ['arm', 'v7'],
  armel: ['arm', 'v6'],
  ppc64el: ['ppc64le'],
  loong: ['loong64'],
};

/** What goes without saying: `arm64` is `arm64/v8`, `amd64` is `amd64/v1`, `arm` is `arm/v7` (containerd's rules). */
const IMPLIED_VARIANT: Readonly<Record<string, string>> = { arm64: 'v8', amd64: 'v1', arm: 'v7' };

/** One spelling for each platform: lower case, Go's names, no variant that goes without saying save `arm/v7`. */
function normalise({ os, architecture, variant }: Platform): Platform {
  const named = architecture.toLowerCase();
  const [arch, implied] = Object.hasOwn(ALIASES, named) ? ALIASES[named]! : [named];
  const said = variant?.toLowerCase().replace(/^(?=\d)/, 'v') || implied;
  const shown = arch === 'arm' ? (said ?? 'v7') : said === IMPLIED_VARIANT[arch] ? undefined : said;
  const system = os.toLowerCase();
  return {
    os: system === 'macos' ? 'darwin' : system,
    architecture: arch,
    ...(shown && { variant: shown }),
  };
}

/** Reads `os/arch[/variant]`, as an option gives it. */
export function parsePlatform(text: string): Platform {
  const [os, architecture, variant, ...more] = text.trim().split('/');
  if (!os || !architecture || variant === '' || more.length > 0) {
    throw new FlattenError('USAGE', `platform ${text}: is not of the form os/arch[/variant]`, {
      hint: '{platform: linux/amd64}, linux/arm64 or linux/arm/v7',
    });
  }
  return normalise({ os, architecture, ...(variant && { variant }) });
}

export function formatPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, variant].filter(Boolean).join('/');
}

/** Reads the fields `os`, `architecture` and `variant` of a config or descriptor; undefined where they say nothing. */
export function readPlatform(json: Json): Platform | undefined {
  const os = json.get('os').optionalString();
  const architecture = json.get('architecture').optionalString();
  const variant = json.get('variant').optionalString();
  if (!os || !architecture) return undefined;
  return normalise({ os, architecture, ...(variant && { variant }) });
}

/** What this machine's processor runs in a Linux container. `nodeArch` is Node's `process.arch`. */
export function linuxOn(nodeArch: string): Platform {
  return normalise({ os: 'linux', architecture: nodeArch });
}

/**
 * How far an image's platform is from the wanted one: 0 is the same, more is an older variant that the wanted one
 * still runs (`arm/v7` runs `arm/v6`), undefined is another machine. Both as {@link normalise} gives them.
 */
export function distance(wanted: Platform, offered: Platform): number | undefined {
  if (wanted.os !== offered.os || wanted.architecture !== offered.architecture) return undefined;
  if (wanted.variant === offered.variant) return 0;
  const steps = level(wanted) - level(offered);
  return steps >= 0 ? steps : undefined;
}

/** The number in a variant such as `v8` or `v8.2`; NaN, which compares with nothing, for any other. */
function level({ architecture, variant }: Platform): number {
  const text = variant ?? IMPLIED_VARIANT[architecture] ?? '';
  return /^v\d+(\.\d+)?$/.test(text) ? Number(text.slice(1)) : Number.NaN;
}
