import { FlattenError, printable } from '../../errors.js';
import { selectFiles } from '../../inspect/files.js';
import { textOf } from '../../rootfs/path-text.js';
import type { LookFlags } from '../look-options.js';
import { meant } from '../meant.js';
import { requireStandardOutput } from '../streams.js';
import { withHistory } from './open.js';
import { print } from './print.js';

/** Does what `flatten cat` was asked for. */
export async function printFiles(
  image: string,
  paths: readonly string[],
  flags: LookFlags,
  signal: AbortSignal,
): Promise<void> {
  requireStandardOutput('a file');
  if (flags.json) throw new FlattenError('USAGE', '--json: a file is printed as it is');
  await withHistory(image, flags, signal, async ({ tree }) => {
    for (const { path } of selectFiles(tree.rootfs.root, paths)) {
      for await (const piece of tree.stream(textOf(path))) {
        if (process.stdout.isTTY && !isText(piece)) throw notForTerminal(image, path);
        await print(piece, signal);
      }
    }
  });
}

/** Whether a terminal shows it as it is: an escape character could make it do anything. */
function isText(piece: Uint8Array): boolean {
  return piece.every((byte) =>
    byte >= 0x20 ? byte !== 0x7f : byte === 0x09 || byte === 0x0a || byte === 0x0c || byte === 0x0d,
  );
}

function notForTerminal(image: string, path: string): FlattenError {
  return new FlattenError('USAGE', `${printable(path)}: has bytes that are not for a terminal`, {
    hint: `send it to a file or a program: ${meant('cat', image, textOf(path))} | less`,
  });
}
