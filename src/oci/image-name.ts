import { FlattenError } from '../errors.js';

/** An image's name as Docker keeps it: `NAME` and `TAG`. */
export interface ImageName {
  readonly name: string;
  readonly tag: string;
}

/** Grammar of a Docker reference (distribution/reference): an optional host, then path components in lower case, then a tag. */
export const HOST = /^(?:[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*|\[[0-9A-Fa-f:]+\])(?::\d+)?$/;
export const COMPONENT = /^[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*$/;
export const TAG = /^\w[\w.-]{0,127}$/;
export const LONGEST_NAME = 255;

/** Grammar of `org.opencontainers.image.ref.name` (image specification, annotations.md). */
const REF_NAME =
  /^[A-Za-z0-9]+(?:(?:[-._:@+]|--)[A-Za-z0-9]+)*(?:\/[A-Za-z0-9]+(?:(?:[-._:@+]|--)[A-Za-z0-9]+)*)*$/;

/** Reads `NAME[:TAG]`; the tag is `latest` where there is none. Throws `USAGE`. */
export function parseImageName(text: string): ImageName {
  const [, name = '', tag = 'latest'] = /^(.*?)(?::([^/:]*))?$/s.exec(text)!;
  const [host, ...path] = name.split('/') as [string, ...string[]];
  const isNamed = path.length > 0 && (/[.:A-Z]/.test(host) || host === 'localhost');
  const parts = isNamed ? path : [host, ...path];
  if (text.includes('@')) throw bad(text, 'a digest cannot be given, only a name');
  if (
    (isNamed && !HOST.test(host)) ||
    !parts.every((part) => COMPONENT.test(part)) ||
    name.length > LONGEST_NAME
  )
    throw bad(text, /[A-Z]/.test(name) ? 'a name is in lower case' : 'is not a name');
  if (!TAG.test(tag)) throw bad(text, `${JSON.stringify(tag)} is not a tag`);
  return { name, tag };
}

/**
 * Reads what an engine finds an image by: `NAME[:TAG]`, `NAME[:TAG]@DIGEST`, or an id, as `sha256:…`, `@sha256:…` or its first digits. It is
 * given back without the `@` of an id. Throws `USAGE`.
 */
export function parseKeptName(text: string): string {
  const [, name = '', , id] = /^([^@]*)(@(.*))?$/s.exec(text)!;
  if (id !== undefined && !/^sha256:[0-9a-f]{12,64}$/.test(id))
    throw bad(text, `${JSON.stringify(id)} is not a digest`);
  if (name !== '') parseImageName(name);
  else if (id === undefined) throw bad(text, 'is empty');
  return name === '' ? id! : text;
}

function bad(text: string, what: string): FlattenError {
  return new FlattenError('USAGE', `image name ${JSON.stringify(text)}: ${what}`, {
    hint: 'a name and a tag look like team/app:1.0',
  });
}

/** Checks the name that an image gets in an OCI layout. Throws `USAGE`. */
export function checkRefName(text: string): string {
  if (REF_NAME.test(text)) return text;
  throw new FlattenError('USAGE', `tag ${JSON.stringify(text)}: is not one that an OCI layout can have`, {
    hint: 'a tag looks like 1.0, latest or team/app:1.0',
  });
}
