import { printable } from '../../errors.js';
import type { BatchResult } from '../../fleet/result.js';
import { inWords } from '../words.js';

/** What came of an image, as `--report` and `--json` have it. */
export function entryOf({ image: reference, losses, error, request: _, ...result }: BatchResult): object {
  const { layer, path } = error ?? {};
  return {
    reference,
    ...result,
    ...(losses.length > 0 && { losses: losses.map(({ kind, count }) => ({ kind, count })) }),
    ...(error && {
      code: error.code,
      message: inWords(error.message),
      layer: layer && inWords(layer),
      path: path && printable(path),
      hint: error.hint && inWords(error.hint),
    }),
  };
}
