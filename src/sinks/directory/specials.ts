import { lstatSync } from 'node:fs';
import type { Libc } from '../../host/libc.js';
import type { Device, Fifo } from '../../rootfs/node.js';
import { feed } from './commands.js';

/** A device or fifo to make. */
export interface Special {
  readonly host: Buffer;
  /** In the image, latin1. */
  readonly path: string;
  readonly node: Device | Fifo;
}

const TYPE = { char: 0o020000, block: 0o060000, fifo: 0o010000 } as const;
const REFUSALS: Readonly<Record<string, string>> = {
  EPERM: 'making it is not permitted without root',
  EINVAL: 'its numbers are beyond what Linux takes',
  ENOTSUP: 'not supported by the file system',
  ENOSYS: 'not supported by the C library',
};

/** Makes a device or fifo, of mode 0600; returns why the system refuses, if it does. */
export function makeSpecial({ host, node }: Special, libc: Libc): string | undefined {
  try {
    const { major, minor } = numbers(node);
    libc.mknod(host, TYPE[node.kind] | 0o600, major, minor);
    return undefined;
  } catch (error) {
    const reason = REFUSALS[(error as NodeJS.ErrnoException).code ?? ''];
    if (reason === undefined) throw error;
    return reason;
  }
}

/** The same without the C library, for many at once; returns those that could not be made, each with its reason. */
export async function makeSpecialsByCommands(
  specials: readonly Special[],
): Promise<readonly (readonly [Special, string])[]> {
  const fifos = specials.filter(({ node }) => node.kind === 'fifo');
  const devices = specials.filter(({ node }) => node.kind !== 'fifo');
  // No input, no command is run.
  await feed(
    'xargs',
    ['-0', 'mkfifo', '-m', '600'],
    words(fifos, () => []),
  );
  await feed(
    'xargs',
    ['-0', '-n', '4', 'mknod', '-m', '600'],
    words(devices, (node) => [node.kind === 'char' ? 'c' : 'b', numbers(node).major, numbers(node).minor]),
  );
  return specials
    .filter(({ host }) => !lstatSync(host, { throwIfNoEntry: false }))
    .map((special) => [special, 'mknod could not make it (it needs root), or is not there']);
}

/** The arguments for one node after another, each ended by a NUL. Host paths are absolute: none looks like an option. */
function* words(
  specials: readonly Special[],
  more: (node: Device | Fifo) => readonly (string | number)[],
): Generator<Buffer> {
  for (const { host, node } of specials) {
    yield Buffer.concat([host, Buffer.from(['', ...more(node), ''].join('\0'))]);
  }
}

function numbers(node: Device | Fifo): { major: number; minor: number } {
  return node.kind === 'fifo' ? { major: 0, minor: 0 } : node;
}
