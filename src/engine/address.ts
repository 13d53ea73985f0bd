import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where an engine listens. */
export type Address = { readonly socketPath: string } | { readonly host: string; readonly port: number };

/** Where to connect to without help; undefined for what the docker command knows how to reach: SSH, TLS. */
export function addressOf(host: string): Address | undefined {
  const [, socketPath] = /^unix:\/\/(.+)$/.exec(host) ?? [];
  if (socketPath !== undefined) return { socketPath };
  const [, name, port] = /^(?:tcp|http):\/\/(\[[^\]]+\]|[^:/]+):(\d+)\/?$/.exec(host) ?? [];
  return name === undefined ? undefined : { host: name.replace(/^\[|\]$/g, ''), port: Number(port) };
}

/** The address that a user has chosen, and where it was said. */
export interface ChosenHost {
  readonly host: string;
  /** As `DOCKER_HOST`. */
  readonly saidBy: string;
  /** It takes certificates, which the docker command knows. */
  readonly usesTls: boolean;
}

/**
 * Docker's own choice: DOCKER_HOST, else the context that DOCKER_CONTEXT or `docker context use` names. Undefined where nothing was
 * chosen. A context that cannot be read has the host `''`. Source: docker context(1), cli/context/store.
 */
export function chosenHost(env: NodeJS.ProcessEnv = process.env): ChosenHost | undefined {
  const { DOCKER_HOST, DOCKER_TLS_VERIFY, DOCKER_CONTEXT } = env;
  if (DOCKER_HOST) return { host: DOCKER_HOST, saidBy: 'DOCKER_HOST', usesTls: Boolean(DOCKER_TLS_VERIFY) };
  const directory = env.DOCKER_CONFIG || join(env.HOME || homedir(), '.docker');
  const name = DOCKER_CONTEXT || textIn(jsonFile(join(directory, 'config.json')), 'currentContext');
  if (!name || name === 'default') return undefined;
  const store = createHash('sha256').update(name).digest('hex');
  const meta = jsonFile(join(directory, 'contexts/meta', store, 'meta.json'));
  const docker = field(field(meta, 'Endpoints'), 'docker');
  const host = textIn(docker, 'Host') ?? '';
  return { host, saidBy: `Docker's context ${name}`, usesTls: !host.startsWith('unix:') };
}

/** Where Docker listens when nobody chose: as root, and without root. */
export function dockerSockets(env: NodeJS.ProcessEnv = process.env): readonly string[] {
  const { XDG_RUNTIME_DIR: runtime } = env;
  return ['/var/run/docker.sock', ...(runtime ? [join(runtime, 'docker.sock')] : [])];
}

/** Where podman's service listens: what CONTAINER_HOST names, without root, and as root. Source: podman-system-service(1). */
export function podmanSockets(env: NodeJS.ProcessEnv = process.env): readonly string[] {
  const { XDG_RUNTIME_DIR: runtime, CONTAINER_HOST = '' } = env;
  const [, chosen] = /^unix:\/\/(.+)$/.exec(CONTAINER_HOST) ?? [];
  return [
    ...(chosen ? [chosen] : []),
    ...(runtime ? [join(runtime, 'podman/podman.sock')] : []),
    '/run/podman/podman.sock',
  ];
}

/** Undefined where there is no such file, or none that makes sense: Docker's own command tells its user of it. */
function jsonFile(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function textIn(value: unknown, name: string): string | undefined {
  const text = field(value, name);
  return typeof text === 'string' && text !== '' ? text : undefined;
}
