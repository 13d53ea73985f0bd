import { lstatSync, statSync } from 'node:fs';
import type { Codec } from '../compression/block.js';
import { FlattenError } from '../errors.js';
import { refuseForeign } from './foreign.js';
import {
  archiveCompression,
  diskOf,
  type FileSystem,
  FORMATS,
  type Format,
  formatOfName,
  isCpioFormat,
  isFormat,
  isImageFormat,
  isTarFormat,
} from './format.js';
import { type ImageLocation, locateImage, transportOf } from './image/location.js';
import { hasExtension, wayTo } from './unwritten.js';

interface Typed {
  /** As it was typed: for messages. */
  readonly text: string;
  readonly format: Format;
}

export interface DirectoryOutput extends Typed {
  readonly kind: 'directory';
  readonly path: string;
}

export interface TarOutput extends Typed {
  readonly kind: 'tar';
  /** `-` is standard output. */
  readonly path: string;
  readonly compression: Codec | 'none';
}

export interface CpioOutput extends Typed {
  readonly kind: 'cpio';
  /** `-` is standard output. */
  readonly path: string;
  readonly compression: Codec | 'none';
}

export interface DiskOutput extends Typed {
  readonly kind: 'disk';
  readonly path: string;
  readonly filesystem: FileSystem;
  readonly compression?: Codec;
}

export interface ImageOutput extends Typed {
  readonly kind: 'image';
  /** Absent for an engine and a registry; `-` is standard output. */
  readonly path?: string;
  readonly location: ImageLocation;
}

/** Where something is written, and as what: an output taken apart. */
export type Output = DirectoryOutput | TarOutput | CpioOutput | DiskOutput | ImageOutput;

/**
 * Takes an output apart. Its format is the one given, else what its transport, its ending or the directory that is there
 * says; a name without an ending is a directory's. Throws `USAGE` where it makes no sense, and says what would.
 */
export function parseOutput(text: string, given?: string): Output {
  refuseForeign(text);
  const format = given === undefined ? formatOf(text) : fitting(text, given);
  if (text === '-' && !STREAMED.test(format)) {
    throw new FlattenError('USAGE', `{format: ${format}}: cannot be written to standard output`, {
      hint: `name a ${format === 'directory' || format === 'oci' ? 'directory' : 'file'}; a file that is named - is {output: ./-}`,
    });
  }
  if (isImageFormat(format)) {
    const location = locateImage(text, format);
    const { path } = location;
    return { kind: 'image', text, format, location, ...(path !== undefined && { path }) };
  }
  if (format === 'directory') return { kind: 'directory', text, format, path: text };
  if (isTarFormat(format))
    return { kind: 'tar', text, format, path: text, compression: archiveCompression(format) };
  if (isCpioFormat(format))
    return { kind: 'cpio', text, format, path: text, compression: archiveCompression(format) };
  const [filesystem, compression] = diskOf(format);
  return { kind: 'disk', text, format, path: text, filesystem, ...(compression && { compression }) };
}

/** What can be written from front to back; a disk image cannot, and engines and registries have their own way. */
const STREAMED = /^(tar|cpio|docker-archive|oci-archive|docker-daemon|registry)/;

function formatOf(text: string): Format {
  const transport = transportOf(text);
  if (transport !== undefined) return transport;
  if (text === '-') return 'tar';
  if (text.endsWith('/') || isDirectory(text)) return 'directory';
  const format = formatOfName(text);
  if (format !== undefined) return format;
  if (!hasExtension(text) && !isThere(text)) return 'directory';
  throw new FlattenError('USAGE', `${text}: the name does not say what to write`, { hint: wayTo(text) });
}

/** A format that is given must be what a transport before the path stands for, or a form of it. */
function fitting(text: string, format: string): Format {
  if (!isFormat(format))
    throw new FlattenError('USAGE', `{format: ${format}}: unknown`, { hint: `one of ${FORMATS.join(', ')}` });
  const transport = transportOf(text);
  if (transport === undefined || format === transport || format === `${transport}-v1`) return format;
  throw new FlattenError('USAGE', `{format: ${format}}: ${text} is in the format ${transport}`, {
    hint: `leave out {format}, or name a path alone: {output: ./${text}} for a file of that name`,
  });
}

/** Whether an output is written to standard output, into an engine or a registry: no file that could be read back or replaced. */
export function isStream({ path }: Output): boolean {
  return path === undefined || path === '-';
}

/** Whether an output is one file which is no image: its digest may stand beside it. */
export function isPlainFile(output: Output): output is TarOutput | CpioOutput | DiskOutput {
  return ['tar', 'cpio', 'disk'].includes(output.kind) && !isStream(output);
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false; // what is wrong with it is said where it is used
  }
}

function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}
