import { accessSync, constants } from 'node:fs';
import { FlattenError } from '../errors.js';

/** What is known of the image that an engine refused. */
export interface Refused {
  /** A layer of it is compressed by zstd. */
  readonly usesZstd: boolean;
}

const MAY_NOT = [
  'become one of those who may: sudo usermod -aG docker "$USER", and log in again',
  'or run this command with sudo',
].join('\n');

/** What engines say, and what to type then; the first that fits counts. */
const TROUBLE: readonly (readonly [said: RegExp, hint: string])[] = [
  [
    /no space left on device|disk quota exceeded/i,
    'make room where the engine keeps its images: docker system prune',
  ],
  [
    /read-only file system/i,
    "the engine's own disk is read-only; it lies in: docker info --format '{{.DockerRootDir}}'",
  ],
  [
    /cannot load \S+ image on|operating system .*not supported|(?<!not )match .*platform|no match for platform/i,
    "choose a platform that the engine runs, which says: docker version --format '{{.Server.Os}}/{{.Server.Arch}}'\nthen: {platform: OS/ARCH}",
  ],
  [
    /content digest .* not found|not (provide|match) the specified platform/i,
    'the engine does not have all of the image; get the rest first: docker pull NAME',
  ],
  [/max depth exceeded/i, 'keep fewer layers: leave out {last} and {fromLayer}'],
  [
    /insufficient UIDs or GIDs|lchown .*invalid argument/i,
    'the user has too few ids for the owners in the image: give it more in /etc/subuid and /etc/subgid, then: podman system migrate',
  ],
  [
    /invalid reference format|must be lowercase|invalid tag/i,
    'name it in lower case: {output: docker-daemon:app:1.0}',
  ],
  [/permission denied|\bEACCES\b/i, MAY_NOT],
  [
    /ECONNREFUSED|ECONNRESET|EPIPE|ENOENT|hang up|cannot connect|connection refused/i,
    'see whether it still runs: sudo systemctl status docker',
  ],
];

/** Old Docker takes zstd for a broken tar. */
const MAYBE_ZSTD = /tar header|unexpected EOF|zstd|magic|compress|archive\/tar/i;

/** The same error with a hint, where what the engine said is known. */
export function withEngineHint(error: unknown, { usesZstd }: Refused = { usesZstd: false }): unknown {
  if (!(error instanceof FlattenError) || error.code !== 'TOOL' || error.hint !== undefined) return error;
  const { code, what, layer, cause } = error;
  const hint =
    usesZstd && MAYBE_ZSTD.test(what)
      ? 'Docker before 23 knows no zstd: {compression: gzip}'
      : TROUBLE.find(([said]) => said.test(what))?.[1];
  return hint === undefined
    ? error
    : new FlattenError(code, what, { hint, cause, ...(layer !== undefined && { layer }) });
}

/** The error for a socket that is there but not for this user; undefined for any other. */
export function forbidden(socket: string): FlattenError | undefined {
  try {
    accessSync(socket, constants.R_OK | constants.W_OK);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EACCES')
      return new FlattenError('TOOL', `${socket}: permission denied`, { hint: MAY_NOT, cause });
  }
  return undefined;
}
