import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { FlattenError, ioError } from '../errors.js';

/** Where credentials may be (containers-auth.json(5), and Docker's config.json). */
export interface AuthFile {
  readonly path: string;
  /** `auths`, by what each is for, as {@link keyOf} writes it. */
  readonly auths: ReadonlyMap<string, AuthEntry>;
  /** Programs by the host that they are for. */
  readonly helpers: ReadonlyMap<string, string>;
  /** The program for all other hosts. */
  readonly store?: string;
}

/** One of `auths`. It is empty where a program keeps the secret. */
export interface AuthEntry {
  /** Base 64 of `NAME:PASSWORD`. */
  readonly auth?: string;
  readonly identityToken?: string;
}

/** Bytes of a file with credentials; real ones have some thousands. */
const FILE_LIMIT = 2 ** 20;

/**
 * Reads the files that there are, in the order in which containers' tools ask them. A file that was named must be there and be the only one: `named`,
 * else REGISTRY_AUTH_FILE. Throws `NOT_FOUND` and `USAGE`, without a word of what is in it.
 */
export function authFiles(named?: string, env: NodeJS.ProcessEnv = process.env): readonly AuthFile[] {
  const only = named ?? (env.REGISTRY_AUTH_FILE || undefined);
  if (only !== undefined) {
    const file = readAuthFile(only);
    if (file === undefined) throw new FlattenError('NOT_FOUND', `${only}: no such file with credentials`);
    return [file];
  }
  return places(env).flatMap((path) => readAuthFile(path) ?? []);
}

function places(env: NodeJS.ProcessEnv): readonly string[] {
  const home = env.HOME || homedir();
  const runtime = env.XDG_RUNTIME_DIR || undefined;
  const user = process.getuid?.() ?? 0;
  return [
    runtime ? join(runtime, 'containers/auth.json') : `/run/containers/${user}/auth.json`,
    join(env.XDG_CONFIG_HOME || join(home, '.config'), 'containers/auth.json'),
    join(env.DOCKER_CONFIG || join(home, '.docker'), 'config.json'),
    join(home, '.dockercfg'),
  ];
}

/** Undefined where there is none, and where one that nobody has named cannot be read. */
function readAuthFile(path: string): AuthFile | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (['ENOENT', 'ENOTDIR'].includes(code)) return undefined;
    throw ioError(error, `reading ${path}`);
  }
  let json: unknown;
  try {
    json = text.length > FILE_LIMIT ? undefined : JSON.parse(text || '{}');
  } catch {
    json = undefined; // what JSON.parse says would repeat a part of it
  }
  if (!isObject(json))
    throw new FlattenError('USAGE', `${path}: is no file with credentials`, {
      hint: 'docker login HOST writes one',
    });
  return parse(path, json);
}

function parse(path: string, json: Record<string, unknown>): AuthFile {
  const isOld = path.endsWith('.dockercfg');
  const auths = isOld ? json : isObject(json.auths) ? json.auths : {};
  const helpers = isObject(json.credHelpers) ? json.credHelpers : {};
  const { credsStore } = json;
  return {
    path,
    auths: new Map(
      Object.entries(auths).flatMap(([key, value]) =>
        isObject(value) ? [[keyOf(key), entryOf(value)]] : [],
      ),
    ),
    helpers: new Map(
      Object.entries(helpers).flatMap(([key, value]) =>
        typeof value === 'string' ? [[keyOf(key), value]] : [],
      ),
    ),
    ...(typeof credsStore === 'string' && credsStore !== '' && { store: credsStore }),
  };
}

/** The fields that an entry may have; Docker writes the name and the password only into old files. */
function entryOf({ auth, identitytoken, username, password }: Record<string, unknown>): AuthEntry {
  const both = typeof username === 'string' && typeof password === 'string' && `${username}:${password}`;
  const coded =
    typeof auth === 'string' && auth !== ''
      ? auth
      : both
        ? Buffer.from(both, 'utf8').toString('base64')
        : undefined;
  return {
    ...(coded !== undefined && { auth: coded }),
    ...(typeof identitytoken === 'string' && identitytoken !== '' && { identityToken: identitytoken }),
  };
}

/** What an entry is for: old ones are written as addresses, and Docker Hub has several names. */
function keyOf(key: string): string {
  const isAddress = /^https?:\/\//.test(key);
  const bare = key.replace(/^https?:\/\//, '').replace(/\/+$/, '');
  const place = isAddress ? bare.replace(/\/.*$/s, '') : bare;
  return place.replace(/^(index|registry-1)\.docker\.io(\/v1)?(?=\/|$)/, 'docker.io');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
