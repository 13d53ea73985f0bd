import { FlattenError, throwIfAborted } from '../../errors.js';
import type { Engine } from './engine.js';
import { commandEngine } from './engine-command.js';
import { type Address, socketEngine } from './engine-socket.js';
import { forbidden } from './engine-trouble.js';

const DEFAULT_SOCKET = '/var/run/docker.sock';

/**
 * Finds the engine: the one that DOCKER_HOST names, else Docker's usual socket, else whatever the `docker` command or
 * then `podman` leads to. Throws `TOOL` where none answers.
 */
export async function findEngine(signal: AbortSignal): Promise<Engine> {
  const { DOCKER_HOST: host, DOCKER_TLS_VERIFY: tls } = process.env;
  if (host) {
    const address = tls ? undefined : addressOf(host);
    const engine = address ? await socketEngine(address, signal) : await commandEngine('docker', signal);
    throwIfAborted(signal);
    return (
      engine ??
      refuse(`${host} (DOCKER_HOST)`, address && 'socketPath' in address ? address.socketPath : undefined)
    );
  }
  const engine =
    (await socketEngine({ socketPath: DEFAULT_SOCKET }, signal)) ??
    (await commandEngine('docker', signal)) ??
    (await commandEngine('podman', signal));
  throwIfAborted(signal);
  return engine ?? refuse(DEFAULT_SOCKET, DEFAULT_SOCKET);
}

function refuse(where: string, socket: string | undefined): never {
  const denied = socket && forbidden(socket);
  if (denied) throw denied;
  throw new FlattenError('TOOL', `${where}: no engine answers`, {
    hint: [
      'start it: sudo systemctl start docker',
      'or say where it is: DOCKER_HOST=unix:///path/to/docker.sock',
      'or write a file for it: {output: docker-archive:image.tar:NAME:TAG}',
    ].join('\n'),
  });
}

/** Where to connect to without help; undefined for what the docker command knows how to reach: SSH, TLS. */
function addressOf(host: string): Address | undefined {
  const [, socketPath] = /^unix:\/\/(.+)$/.exec(host) ?? [];
  if (socketPath !== undefined) return { socketPath };
  const [, name, port] = /^(?:tcp|http):\/\/(\[[^\]]+\]|[^:/]+):(\d+)\/?$/.exec(host) ?? [];
  return name === undefined ? undefined : { host: name.replace(/^\[|\]$/g, ''), port: Number(port) };
}
