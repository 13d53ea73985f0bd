import { FlattenError } from '../../errors.js';
import { checkRefName, type ImageName, parseImageName } from '../../oci/image-name.js';
import { parseRegistryReference, type RegistryReference } from '../../oci/registry-reference.js';

/** The forms of an image that are written. */
export const IMAGE_FORMATS = [
  'docker-archive',
  'docker-archive-v1',
  'oci',
  'oci-archive',
  'docker-daemon',
  'registry',
] as const;
export type ImageFormat = (typeof IMAGE_FORMATS)[number];

/** Where an image goes, and what it is called there. */
export interface ImageLocation {
  readonly format: ImageFormat;
  /** A file, a directory, or `-` for standard output; absent for an engine and a registry. */
  readonly path?: string;
  /** In a registry; it has a tag. */
  readonly reference?: RegistryReference & { readonly tag: string };
  /** In a docker-archive and an engine. */
  readonly name?: ImageName;
  /** In an OCI layout. */
  readonly tag?: string;
}

const TRANSPORT = /^(?:(docker-archive|oci-archive|oci|docker-daemon):|(docker):\/\/)(.*)$/s;

/** The format that an output's transport stands for, as in `oci:DIR`; undefined where it has none. */
export function transportOf(output: string): ImageFormat | undefined {
  const [, file, docker] = TRANSPORT.exec(output) ?? [];
  return docker === undefined ? (file as ImageFormat | undefined) : 'registry';
}

/** What image outputs begin with. */
export const IMAGE_TRANSPORTS: readonly string[] = IMAGE_FORMATS.filter(
  (format) => !format.endsWith('-v1'),
).map((format) => (format === 'registry' ? 'docker://' : `${format}:`));

/**
 * Takes apart `docker-archive:FILE[:NAME[:TAG]]`, `oci:DIR[:TAG]`, `oci-archive:FILE[:TAG]`, `docker-daemon:NAME[:TAG]` and
 * `docker://[HOST[:PORT]/]NAME[:TAG]`, in which, as in skopeo's, the first colon ends the path. An output without a transport is all path. Throws `USAGE`.
 */
export function locateImage(output: string, format: ImageFormat): ImageLocation {
  const [, file, docker, after = ''] = TRANSPORT.exec(output) ?? [];
  const transport = file ?? docker;
  const rest = transport === undefined ? output : after;
  if (format === 'registry') return { format, reference: tagged(rest) };
  if (format === 'docker-daemon') {
    if (rest === '') throw new FlattenError('USAGE', `${output}: an engine keeps images by name`, NAMED);
    return { format, name: parseImageName(rest) };
  }
  if (transport === undefined) return { format, path: output };
  const [, path = '', , name] = /^([^:]*)(:(.*))?$/s.exec(rest)!;
  if (path === '') throw new FlattenError('USAGE', `${output}: names no path`);
  if (name === undefined) return { format, path };
  return format.startsWith('oci')
    ? { format, path, tag: checkRefName(name) }
    : { format, path, name: parseImageName(name) };
}

/** A place in a registry. Its digest is not known before the image is. */
function tagged(text: string): RegistryReference & { readonly tag: string } {
  const { digest, tag, ...name } = parseRegistryReference(text);
  if (digest === undefined) return { ...name, tag: tag! };
  throw new FlattenError('USAGE', `docker://${text}: a digest comes of the image, and cannot be chosen`, {
    hint: `{output: docker://${text.replace(/@.*$/s, '')}${tag === undefined ? ':TAG' : ''}}`,
  });
}

const NAMED = { hint: '{output: docker-daemon:app:1.0}' };
