import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { FlattenError, ioError } from '../errors.js';

/** What a host's certificate is checked against, and how flatten shows who it is. */
export interface Trust {
  /** Certificates of authorities, in PEM, besides those that Node knows. */
  readonly ca?: readonly string[];
  /** The client's own, in PEM, and its key. */
  readonly cert?: string;
  readonly key?: string;
  /** Any certificate will do: the user has said so of this host. */
  readonly isUnverified?: boolean;
}

/**
 * What is trusted of a host, with its port where it has one: the first directory `certs.d/HOST` that there is (containers-certs.d(5)), which has `*.crt` of authorities, and
 * `*.cert` with `*.key` of the client. NODE_EXTRA_CA_CERTS and SSL_CERT_FILE count for all hosts.
 */
export function trustOf(host: string, isUnverified: boolean, env: NodeJS.ProcessEnv = process.env): Trust {
  const directory = places(env)
    .map((place) => join(place, host))
    .find((path) => existsSync(path));
  const ca = [env.SSL_CERT_FILE ?? []]
    .flat()
    .filter((path) => path !== '')
    .map(read);
  const own: { cert?: string; key?: string } = {};
  for (const name of directory === undefined ? [] : readdirSync(directory).sort()) {
    const path = join(directory!, name);
    if (name.endsWith('.crt')) ca.push(read(path));
    if (!name.endsWith('.cert')) continue;
    const key = path.replace(/cert$/, 'key');
    if (!existsSync(key)) throw new FlattenError('NOT_FOUND', `${key}: is missing, and ${name} is beside it`);
    Object.assign(own, { cert: read(path), key: read(key) });
  }
  // A list of one's own takes the place of all that Node would add.
  if (ca.length > 0 && env.NODE_EXTRA_CA_CERTS) ca.push(read(env.NODE_EXTRA_CA_CERTS));
  return { ...(ca.length > 0 && { ca }), ...own, ...(isUnverified && { isUnverified }) };
}

function places(env: NodeJS.ProcessEnv): readonly string[] {
  const config = env.XDG_CONFIG_HOME || join(env.HOME || homedir(), '.config');
  return [join(config, 'containers/certs.d'), '/etc/containers/certs.d', '/etc/docker/certs.d'];
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw ioError(error, `reading ${path}`);
  }
}
