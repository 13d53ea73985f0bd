import { printable } from '../../errors.js';
import type { BatchResult } from '../../fleet/result.js';
import { countText } from '../../size-text.js';
import { red } from '../colour.js';
import { showSize } from '../numbers.js';
import { inWords } from '../words.js';
import { commandFor } from './again.js';

/** How many images came to what end. */
export interface Counts {
  readonly done: number;
  readonly current: number;
  readonly failed: number;
}

/** The lines for an image that has ended. */
export function resultLines(result: BatchResult): string[] {
  const {
    state,
    output,
    image,
    place,
    entries = 0,
    bytes = 0,
    outputDigest,
    seconds,
    losses,
    error,
  } = result;
  const name = output ?? `${place}: ${image}`;
  if (state === 'current') return [`${name}: up to date`];
  if (error) return [`${name}: failed: ${inWords(error.message)}`];
  const parts = [`${countText(entries)} entries`, showSize(bytes), ...(outputDigest ? [outputDigest] : [])];
  return [
    ...losses.map(
      ({ kind, count, example, reason }) =>
        `${name}: not held: ${kind} of ${countText(count)} (first: ${printable(example)}): ${inWords(reason)}`,
    ),
    `${name}: ${[...parts, `${seconds.toFixed(2)} s`].join(', ')}, from ${image}`,
  ];
}

/** `100 images: 97 done, 2 up to date, 1 failed, 12.30 s`. */
export function summaryLine({ done, current, failed }: Counts, seconds: number): string {
  const all = done + current + failed;
  const parts = [
    `${countText(done)} done`,
    `${countText(current)} up to date`,
    ...(failed > 0 ? [`${countText(failed)} failed`] : []),
    `${seconds.toFixed(2)} s`,
  ];
  return `${countText(all)} ${all === 1 ? 'image' : 'images'}: ${parts.join(', ')}`;
}

/** What has failed, each with the command that tries it again. */
export function failureLines(failed: readonly BatchResult[], all: number): string[] {
  if (failed.length === 0) return [];
  const count = `${countText(failed.length)} of ${countText(all)} images failed`;
  return [
    `flatten: ${red('error')}: ${count}`,
    ...failed.flatMap(({ place, image, error, request }) => [
      `  ${place}: ${inWords(error!.message).startsWith(image) ? '' : `${image}: `}${inWords(error!.message)}`,
      ...(error!.hint ? [`      ${inWords(error!.hint).replaceAll('\n', '\n      ')}`] : []),
      ...(request ? [`    ${commandFor({ ...request, input: image })}`] : []),
    ]),
  ];
}
