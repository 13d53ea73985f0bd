import { existsSync, fstatSync, realpathSync, type Stats, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { FlattenError } from './errors.js';
import type { InputOptions } from './input.js';
import { isInside, namesOf } from './sinks/staging/names-of.js';
import type { ClosableImage } from './sources/image.js';
import type { Input } from './sources/transport.js';

/** What standard input is, where it is a file. */
const STANDARD_INPUT = '/proc/self/fd/0';

/** Files that make a directory an image, whose other files are its layers. */
const OF_AN_IMAGE = ['oci-layout', 'index.json', 'manifest.json', 'repositories'];

/**
 * Throws `USAGE` where something that will be written is what is read, under whatever name, or would be replaced with
 * what is read in it. `outputs` are paths; the one of a directory is marked.
 */
export function refuseOverlap(
  input: Input,
  { add = [] }: Pick<InputOptions, 'add'>,
  outputs: readonly { readonly path: string; readonly isDirectory: boolean }[],
): void {
  const read = add.map(({ directory }) => directory);
  const source = input.kind === 'stored' ? sourceAt(input.path) : undefined;
  if (source) read.unshift(source.path);
  for (const output of outputs) {
    const stat = statOf(output.path);
    if (stat === undefined) continue;
    if (source && (isSame(stat, source.stat) || isPartOf(source, output.path, stat)))
      throw isInput(output.path);
    if (output.isDirectory) refuseAround(output.path, read);
  }
}

interface Source {
  readonly path: string;
  readonly stat: Stats | undefined;
}

function sourceAt(path: string): Source {
  return { path, stat: path === '-' ? attempt(() => fstatSync(0)) : statOf(path) };
}

/** Throws `USAGE` where an output is the file that a layer lies in, or a directory that has it in it. */
export function refuseLayers({ layers }: Pick<ClosableImage, 'layers'>, outputs: readonly string[]): void {
  const files = new Set(layers.flatMap(({ stored }) => stored?.fd ?? []));
  for (const output of outputs) {
    const stat = statOf(output);
    if (stat === undefined) continue;
    const target = stat.isDirectory() ? realPath(output) : undefined;
    for (const fd of files) {
      const isLayer = isSame(
        stat,
        attempt(() => fstatSync(fd)),
      );
      if (isLayer || isIn(realPath(`/proc/self/fd/${fd}`), target)) throw isInput(output);
    }
  }
}

/** A file of an image's directory. In a root filesystem's directory an output is left out of what is read. */
function isPartOf(source: Source, output: string, stat: Stats): boolean {
  if (!source.stat?.isDirectory() || !stat.isFile()) return false;
  if (!OF_AN_IMAGE.some((name) => existsSync(join(source.path, name)))) return false;
  return isIn(realPath(output), realPath(source.path));
}

/** A directory that holds what is read, or the work of whoever runs this, would be replaced with all that is in it. */
function refuseAround(output: string, read: readonly string[]): void {
  const target = realPath(output);
  for (const path of ['.', ...read]) {
    const [name, inside] = path === '-' ? ['standard input', STANDARD_INPUT] : [path, path];
    // The name that it is read by goes too, where that is a symlink.
    if (!isIn(realPath(inside), target) && !isIn(realPath(dirname(inside)), target)) continue;
    const what = path === '.' ? 'the working directory' : name;
    throw new FlattenError('USAGE', `${output}: would be replaced, and ${what} is in it`, {
      hint: 'name another output, or work from another directory',
    });
  }
}

function isInput(output: string): FlattenError {
  return new FlattenError('USAGE', `${output}: is the input, or a part of it, and is not replaced`, {
    hint: 'name another output',
  });
}

function isSame(one: Stats, other: Stats | undefined): boolean {
  return one.ino === other?.ino && one.dev === other.dev;
}

function isIn(path: string | undefined, directory: string | undefined): boolean {
  return path !== undefined && directory !== undefined && isInside(path, namesOf(directory));
}

function statOf(path: string): Stats | undefined {
  return attempt(() => statSync(path));
}

function realPath(path: string): string | undefined {
  return attempt(() => realpathSync(path));
}

/** Undefined where the system has no answer, which is said where the path is used. */
function attempt<T>(ask: () => T): T | undefined {
  try {
    return ask();
  } catch {
    return undefined;
  }
}
