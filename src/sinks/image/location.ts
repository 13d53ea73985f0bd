import { FlattenError } from '../../errors.js';
import { checkRefName, type ImageName, parseImageName } from '../../oci/image-name.js';

/** The forms of an image that are written. */
export const IMAGE_FORMATS = [
  'docker-archive',
  'docker-archive-v1',
  'oci',
  'oci-archive',
  'docker-daemon',
] as const;
export type ImageFormat = (typeof IMAGE_FORMATS)[number];

/** Where an image goes, and what it is called there. */
export interface ImageLocation {
  readonly format: ImageFormat;
  /** A file, a directory, or `-` for standard output; absent for an engine. */
  readonly path?: string;
  /** In a docker-archive and an engine. */
  readonly name?: ImageName;
  /** In an OCI layout. */
  readonly tag?: string;
}

const TRANSPORT = /^(docker-archive|oci-archive|oci|docker-daemon):(.*)$/s;

/** The format that an output's transport stands for, as in `oci:DIR`; undefined where it has none. */
export function transportOf(output: string): ImageFormat | undefined {
  return TRANSPORT.exec(output)?.[1] as ImageFormat | undefined;
}

/**
 * Takes apart `docker-archive:FILE[:NAME[:TAG]]`, `oci:DIR[:TAG]`, `oci-archive:FILE[:TAG]` and `docker-daemon:NAME[:TAG]`,
 * in which, as in skopeo's, the first colon ends the path. An output without a transport is all path. Throws `USAGE`.
 */
export function locateImage(output: string, format: ImageFormat): ImageLocation {
  const [, transport, rest = ''] = TRANSPORT.exec(output) ?? [];
  if (format === 'docker-daemon') {
    const text = transport === undefined ? output : rest;
    if (text === '') throw new FlattenError('USAGE', `${output}: an engine keeps images by name`, NAMED);
    return { format, name: parseImageName(text) };
  }
  if (transport === undefined) return { format, path: output };
  const [, path = '', , name] = /^([^:]*)(:(.*))?$/s.exec(rest)!;
  if (path === '') throw new FlattenError('USAGE', `${output}: names no path`);
  if (name === undefined) return { format, path };
  return format.startsWith('oci')
    ? { format, path, tag: checkRefName(name) }
    : { format, path, name: parseImageName(name) };
}

const NAMED = { hint: '{output: docker-daemon:app:1.0}' };
