import { FlattenError } from '../errors.js';
import { refuseMisfits } from '../fits.js';
import { parsePlatform } from '../oci/platform.js';
import { pathTest } from '../rootfs/glob.js';
import { type Output, parseOutput } from '../sinks/output.js';
import { type Input, parseInput } from '../sources/transport.js';
import { parseImageOptions } from '../squash.js';
import { parseInitPath } from '../start/init-path.js';
import type { ItemOptions, Listed } from './item.js';
import { valuesOf } from './names.js';
import { fill, fillEarly, type Pattern, parsePattern, type Values } from './pattern.js';

/** An image of a list with all that the list says of it: its options are complete, and nothing has been looked at. */
export interface Job {
  /** Where the list says so. */
  readonly place: string;
  /** The image as messages name it, without what may be a secret. */
  readonly image: string;
  /** The image as it was typed. */
  readonly reference: string;
  readonly input: Input;
  readonly options: ItemOptions;
  readonly pattern: Pattern;
  readonly values: Values;
  /** Where it goes; absent where only the image itself can tell. */
  readonly output?: Output;
  /** What the list alone says of the output: by it the list is divided, the same way on machines that have looked at nothing. */
  readonly name: string;
}

/** Takes a list apart: what makes no sense in any of its lines is thrown as `USAGE` with its place, before any work. */
export function jobsOf(listed: Iterable<Listed>, shared: ItemOptions, output: string): Job[] {
  const patterns = new Map<string, Pattern>();
  const patternOf = (text: string, place: string) => {
    const known = patterns.get(text) ?? parsePattern(text, place);
    patterns.set(text, known);
    return known;
  };
  patternOf(output, '{output}');
  return [...listed].map(({ place, item }) => {
    const { image: reference, output: own, ...options } = item;
    return at(place, () =>
      jobOf(
        place,
        reference,
        merged(shared, options),
        patternOf(own ?? output, own === undefined ? '{output}' : place),
      ),
    );
  });
}

/** The output of a job whose image has the late values. Throws `USAGE`. */
export function outputOf({ output, pattern, values, place, options }: Job, late: Values): Output {
  if (output !== undefined) return output;
  return at(place, () => parseOutput(fill(pattern, { ...values, ...late }, place), options.format));
}

function jobOf(place: string, reference: string, options: ItemOptions, pattern: Pattern): Job {
  if (reference === '-')
    throw new FlattenError('USAGE', `${place}: -: standard input is no image of a list`, {
      hint: 'name the file, or write the one image without a list: flatten - {output: OUTPUT}',
    });
  const input = parseInput(reference);
  const { platform, include = [], exclude = [], addInit } = options;
  if (platform !== undefined && platform !== 'all') parsePlatform(platform);
  pathTest([...include, ...exclude]);
  if (addInit) parseInitPath(addInit);
  const values = valuesOf(input, options.reference);
  const early = fillEarly(pattern, values, place);
  const output = parseOutput(early, options.format);
  const { imageOptions: image, ...others } = options;
  refuseMisfits({ ...others, ...(image && { image }) }, output);
  if (image) parseImageOptions(image, options);
  if (output.path === undefined || output.path === '-')
    throw new FlattenError(
      'USAGE',
      `${place}: ${early}: is no file or directory that a later run could find`,
      {
        hint: 'name a pattern of files, as {output: disks/{repository}/{tag}.ext4}',
      },
    );
  const known = { place, image: input.text, reference, input, options, pattern, values };
  if (!pattern.isLate) return { ...known, output, name: early };
  return { ...known, name: [pattern.text, reference, platform ?? ''].join('\n') };
}

/** The options of one image before those that all share. */
function merged(shared: ItemOptions, own: ItemOptions): ItemOptions {
  const disk = shared.disk || own.disk ? { disk: { ...shared.disk, ...own.disk } } : {};
  const imageOptions =
    shared.imageOptions || own.imageOptions
      ? { imageOptions: { ...shared.imageOptions, ...own.imageOptions } }
      : {};
  return { ...shared, ...own, ...disk, ...imageOptions };
}

/** What is thrown gets the place in front, unless it has it. */
function at<T>(place: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof FlattenError) || error.what.startsWith(`${place}:`)) throw error;
    if (error.what.startsWith('{output}:')) throw error;
    const { hint, cause } = error;
    throw new FlattenError('USAGE', `${place}: ${error.what}`, {
      ...(hint && { hint }),
      cause: cause ?? error,
    });
  }
}
