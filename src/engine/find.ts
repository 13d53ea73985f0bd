import { FlattenError, throwIfAborted } from '../errors.js';
import {
  type Address,
  addressOf,
  type ChosenHost,
  chosenHost,
  dockerSockets,
  podmanSockets,
} from './address.js';
import { commandEngine } from './command.js';
import type { Engine } from './engine.js';
import { socketEngine } from './socket.js';
import { forbidden } from './trouble.js';

/** The first of {@link runningEngines}. Throws `TOOL` where none answers; `hint` is one more way on. */
export async function findEngine(signal: AbortSignal, hint: string): Promise<Engine> {
  for await (const engine of runningEngines(signal)) return engine;
  throw noEngine(hint);
}

/**
 * The engines that answer, in the order in which they are asked: only the one that DOCKER_HOST or a context of Docker chooses, else Docker at its
 * usual sockets or by its command, then podman at its sockets or by its command.
 */
export async function* runningEngines(signal: AbortSignal): AsyncGenerator<Engine> {
  const chosen = chosenHost();
  if (chosen !== undefined) {
    const address = plainAddress(chosen);
    const engine = address ? await socketEngine(address, signal) : await commandEngine('docker', signal);
    throwIfAborted(signal);
    if (engine) yield engine;
    return;
  }
  for (const [program, sockets] of [
    ['docker', dockerSockets()],
    ['podman', podmanSockets()],
  ] as const) {
    const engine = (await firstOf(sockets, signal)) ?? (await commandEngine(program, signal));
    throwIfAborted(signal);
    if (engine) yield engine;
  }
}

/** The error for it, once nothing has answered: what was asked, and what to type. */
export function noEngine(hint: string): FlattenError {
  const chosen = chosenHost();
  const address = chosen && plainAddress(chosen);
  const sockets = chosen ? (address && 'socketPath' in address ? [address.socketPath] : []) : dockerSockets();
  for (const socket of sockets) {
    const denied = forbidden(socket);
    if (denied) return denied;
  }
  const where = chosen
    ? `${chosen.host || 'its address is unknown'} (${chosen.saidBy})`
    : dockerSockets()[0]!;
  return new FlattenError('TOOL', `${where}: no engine answers`, {
    hint: [
      'start it: sudo systemctl start docker',
      'or say where it is: DOCKER_HOST=unix:///path/to/docker.sock',
      hint,
    ].join('\n'),
  });
}

function plainAddress({ host, usesTls }: ChosenHost): Address | undefined {
  return usesTls ? undefined : addressOf(host);
}

async function firstOf(sockets: readonly string[], signal: AbortSignal): Promise<Engine | undefined> {
  for (const socketPath of sockets) {
    const engine = await socketEngine({ socketPath }, signal);
    if (engine) return engine;
  }
  return undefined;
}
