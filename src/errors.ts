/** What went wrong, as a word that a program can branch on. */
export type ErrorCode =
  | 'USAGE' // the command line or an option makes no sense
  | 'NOT_FOUND' // an input, a blob, an image or a platform is not there
  | 'AMBIGUOUS' // several images match; the hint lists them
  | 'BAD_IMAGE' // image JSON or its envelope is broken
  | 'BAD_LAYER' // a layer's tar breaks a rule
  | 'DIGEST_MISMATCH' // stored bytes or a layer are not what the image says
  | 'LIMIT' // a bound on sizes, counts or nesting was passed
  | 'OUTPUT_EXISTS' // the output is there and is not to be replaced
  | 'UNSUPPORTED' // the output cannot hold something, or a feature is missing here
  | 'LOSS' // it was to be strict, and the output could not hold everything
  | 'DENIED' // a registry wants other credentials, or leads where it must not
  | 'NETWORK' // a server cannot be reached, or fails
  | 'TOOL' // an outside program is missing or failed
  | 'IO' // the system refused to read or write
  | 'TIMEOUT' // an image of a list took longer than it may
  | 'DIED' // the process that made an image of a list was killed, or ran out of memory
  | 'INTERRUPTED'; // the caller's signal was aborted

/** The options that messages speak of, by their names in the library. */
const OPTION_NAMES = [
  'add',
  'addInit',
  'allowForeignLayers',
  'author',
  'authfile',
  'blockSize',
  'cache',
  'cacheSize',
  'changes',
  'compression',
  'configOut',
  'digests',
  'exclude',
  'failIf',
  'failFast',
  'force',
  'format',
  'free',
  'freeInodes',
  'fromLayer',
  'ignore',
  'include',
  'input',
  'insecure',
  'jobs',
  'journal',
  'keepDirlinks',
  'keepSetuid',
  'label',
  'last',
  'layer',
  'limit',
  'maxEntries',
  'maxSize',
  'message',
  'mkdir',
  'output',
  'platform',
  'reference',
  'report',
  'reserved',
  'rootHash',
  'sha256',
  'shard',
  'size',
  'strict',
  'timeout',
  'uuid',
  'verify',
  'verity',
] as const;
export type OptionName = (typeof OPTION_NAMES)[number];

/** How messages write an option: `{force}`, or with its value, `{maxSize: 64G}`. A door that has other words for it puts these there. */
export const OPTION = new RegExp(`\\{(${OPTION_NAMES.join('|')})(?:: ((?:[^{}]|\\{[^{}]*\\})*))?\\}`, 'g');

/** Where and why, for {@link FlattenError}. */
export interface ErrorDetails {
  /** The layer, as `layer 3 of 7 (sha256:ab12…)`. */
  readonly layer?: string;
  /** The path inside the image, as latin1 bytes. */
  readonly path?: string;
  /** What to do about it: the next command to type, where there is one. */
  readonly hint?: string;
  /** Of an output that does not read back: how many differences there are of each kind. */
  readonly counts?: Readonly<Record<string, number>>;
  readonly cause?: unknown;
}

/**
 * Every failure that flatten can foresee. `message` is one line, `thing: what happened`, and names layer and path;
 * anything else that is thrown is a bug.
 */
export class FlattenError extends Error {
  override readonly name = 'FlattenError';
  readonly code: ErrorCode;
  readonly layer: string | undefined;
  readonly path: string | undefined;
  readonly hint: string | undefined;
  /** The option that it is about, or that the hint speaks of, by its name in the library. */
  readonly option: OptionName | undefined;
  /** Of an output that does not read back: how many differences there are of each kind. */
  readonly counts: Readonly<Record<string, number>> | undefined;
  /** `message` without layer and path. */
  readonly what: string;

  constructor(code: ErrorCode, what: string, details: ErrorDetails = {}) {
    const { layer, path, hint, counts, cause } = details;
    const where = [layer, path === undefined ? undefined : printable(path)].filter(
      (part) => part !== undefined,
    );
    super([...where, what].join(': '), cause === undefined ? undefined : { cause });
    this.code = code;
    this.what = what;
    this.layer = layer;
    this.path = path;
    this.hint = hint;
    this.counts = counts;
    this.option = [...`${what}\n${hint ?? ''}`.matchAll(OPTION)][0]?.[1] as OptionName | undefined;
  }

  /** The same error, said of a layer. */
  inLayer(layer: string): FlattenError {
    if (this.layer !== undefined) return this;
    const { path, hint, counts, cause } = this;
    return new FlattenError(this.code, this.what, {
      layer,
      ...(path === undefined ? {} : { path }),
      ...(hint === undefined ? {} : { hint }),
      ...(counts === undefined ? {} : { counts }),
      ...(cause === undefined ? {} : { cause }),
    });
  }
}

/** A path of latin1 bytes as text for a person: UTF-8 where it is, control and other bytes as `\xNN`. */
export function printable(path: string): string {
  const bytes = Buffer.from(path, 'latin1');
  const text = bytes.toString('utf8');
  const whole = Buffer.from(text, 'utf8').equals(bytes) ? text : path;
  return whole.replace(
    whole === text ? /[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g : /[^\x20-\x7e]/g,
    (char) =>
      [...Buffer.from(char, whole === text ? 'utf8' : 'latin1')]
        .map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`)
        .join(''),
  );
}

/** A system error (`ENOSPC`, `EACCES`, …) on one of the host's paths, in flatten's words. */
export function ioError(cause: unknown, doing: string): FlattenError {
  if (cause instanceof FlattenError) return cause;
  if (isSystemError(cause) && cause.syscall === 'uv_cwd') {
    return new FlattenError('IO', 'the working directory is not there any more', {
      hint: 'cd to a directory that is there',
      cause,
    });
  }
  const code = (cause as NodeJS.ErrnoException)?.code;
  const hint = code === undefined ? undefined : HINTS[code];
  return new FlattenError('IO', `${doing}: ${reasonOf(cause)}`, {
    cause,
    ...(hint && { hint }),
  });
}

/** What Node says as `ENOENT: no such file or directory, open 'x'`, without the path, which messages name themselves. */
function reasonOf(cause: unknown): string {
  const message = String((cause as Error)?.message ?? cause);
  const [, code, reason] = /^(E[A-Z0-9]+): ([^,]+), \w+(?: '.*)?$/s.exec(message) ?? [];
  return code === undefined ? message : `${reason} (${code})`;
}

/** Whether the system has refused something, wherever it was; also what starts a thread or loads a module may meet that. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  const { code, syscall } = (error ?? {}) as NodeJS.ErrnoException;
  const isSystemCall = typeof code === 'string' && typeof syscall === 'string';
  return isSystemCall || code === 'ERR_WORKER_INIT_FAILED' || code === NO_MODULE;
}

/** What Node says of a package that is not there, and of one that it cannot look at because too many files are open. */
const NO_MODULE = 'ERR_MODULE_NOT_FOUND';

/** One that nobody has put in words nearer to where it was. */
export function systemError(cause: NodeJS.ErrnoException): FlattenError {
  if (cause.code === NO_MODULE) {
    return new FlattenError(
      'IO',
      'a part of flatten is not found, as where too many files are open (EMFILE)',
      {
        hint: 'install flatten again; if it is whole, raise the limit with `ulimit -n 4096`',
        cause,
      },
    );
  }
  const code = /\bE[A-Z]+\b/.exec(cause.code === 'ERR_WORKER_INIT_FAILED' ? cause.message : '')?.[0];
  const said = code === undefined ? cause : Object.assign(new Error(cause.message, { cause }), { code });
  const what = cause.path === undefined ? 'the system' : `${cause.path}: the system`;
  return ioError(
    said,
    cause.syscall === undefined ? 'the system refuses' : `${what} refuses ${cause.syscall}`,
  );
}

const TOO_MANY_FILES = 'too many open files: raise the limit with `ulimit -n 4096`';

const HINTS: Record<string, string> = {
  ENOSPC: 'the disk is full: free some space, or point TMPDIR or the output at a larger disk',
  EDQUOT: 'the disk quota is used up: point TMPDIR or the output elsewhere',
  EACCES: 'permission is missing: run as a user who may use this path',
  EROFS: 'the file system is read-only: choose another place',
  EMFILE: TOO_MANY_FILES,
  ENFILE: TOO_MANY_FILES,
  EFBIG:
    'a file may not become so large here: raise the limit with `ulimit -f unlimited`, or choose another place',
  EAGAIN: 'too many processes: raise the limit with `ulimit -u`, or wait for others to end',
};

/** Throws `INTERRUPTED` once the signal is aborted. Call it in every loop that lasts. */
export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new FlattenError('INTERRUPTED', 'interrupted', { cause: signal.reason });
}
