import type { RunEvent } from '../../context.js';
import { FlattenError } from '../../errors.js';
import { openImage } from '../../image.js';
import type { History } from '../../inspect/history.js';
import { textOf } from '../../rootfs/path-text.js';
import type { LookFlags } from '../look-options.js';
import { meant } from '../meant.js';
import { Progress } from '../progress.js';

/** Opens an image with its history, lets `use` look at it once all digests were found right, and closes it whatever happens. */
export async function withHistory<T>(
  input: string,
  flags: LookFlags,
  signal: AbortSignal,
  use: (history: History) => Promise<T> | T,
): Promise<T> {
  const { image: reference, layer, keepDirlinks, ...choice } = flags;
  const progress = new Progress(process.stderr, flags);
  const onEvent = (event: RunEvent) => progress.show(event);
  try {
    await using image = await openImage(input, {
      ...choice,
      ...(reference !== undefined && { reference }),
      signal,
      onEvent,
    });
    const options = { ...(layer !== undefined && { layer }), ...(keepDirlinks && { keepDirlinks }) };
    await using history = await image.history(options);
    await history.tree.verified;
    progress.end();
    try {
      return await use(history);
    } catch (error) {
      throw explained(error, input);
    }
  } finally {
    progress.end();
  }
}

/** A path that is not in the image gets the command that says why. */
function explained(error: unknown, input: string): unknown {
  if (!(error instanceof FlattenError) || error.code !== 'NOT_FOUND' || error.path === undefined)
    return error;
  const { code, what, path } = error;
  return new FlattenError(code, what, { path, hint: `why: ${meant('explain', input, textOf(path))}` });
}
