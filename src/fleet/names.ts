import { basename, resolve } from 'node:path';
import type { Digest } from '../oci/digest.js';
import { parseImageName } from '../oci/image-name.js';
import type { Platform } from '../oci/platform.js';
import { formatPlatform } from '../oci/platform.js';
import type { Input } from '../sources/transport.js';
import type { Values } from './pattern.js';

/** Endings of archives, which are no part of an image's name. */
const ENDINGS = /(\.oci|\.docker)?(\.tar|\.tgz|\.txz|\.tzst|\.tbz2?)?(\.(gz|zst|xz|bz2))?$/i;

/**
 * What an input says by itself of the image: its registry, repository, name and tag. Archives have a name alone, that of their file, unless a name
 * stands behind it or is chosen by `reference`. A colon, which transports take apart, becomes `_`, as in `localhost_5000`.
 */
export function valuesOf(input: Input, reference?: string): Values {
  switch (input.kind) {
    case 'registry': {
      const { host, repository, tag } = input.reference;
      return { registry: plain(host), ...ofRepository(repository), ...(tag !== undefined && { tag }) };
    }
    case 'engine':
      return named(input.name) ?? {};
    case 'web':
      return { name: stem(decoded(input.address.url.pathname)) };
    case 'stored': {
      const { path, image } = input;
      return { name: stem(resolve(path)), ...ofChosen(reference ?? image) };
    }
  }
}

/** What is known once the image has been looked at. */
export function lateValues(look: {
  readonly digest?: Digest;
  readonly platform?: Platform;
  readonly layers: number;
}): Values {
  const { digest, platform, layers } = look;
  return {
    ...(digest !== undefined && { digest: digest.replace(':', '-') }),
    ...(platform !== undefined && { platform: formatPlatform(platform).replaceAll('/', '-') }),
    layers: String(layers),
  };
}

/** A name or a bare tag that chooses one of several images. */
function ofChosen(chosen: string | undefined): Values {
  if (chosen === undefined || /[@]|^sha256:/.test(chosen)) return {};
  if (!/[:/]/.test(chosen)) return { tag: chosen };
  return named(chosen) ?? {};
}

function named(text: string): Values | undefined {
  const [bare = ''] = text.split('@');
  if (bare === '' || text.startsWith('sha256:')) return undefined;
  try {
    const { name, tag } = parseImageName(bare);
    const [host = '', ...rest] = name.split('/');
    const hasHost = rest.length > 0 && (/[.:A-Z]/.test(host) || host === 'localhost');
    return {
      ...(hasHost && { registry: plain(host) }),
      ...ofRepository(hasHost ? rest.join('/') : name),
      tag,
    };
  } catch {
    return undefined; // a tag of a layout may be anything
  }
}

function ofRepository(repository: string): Values {
  return { repository, name: repository.slice(repository.lastIndexOf('/') + 1) };
}

function stem(path: string): string {
  return plain(basename(path).replace(ENDINGS, ''));
}

function plain(text: string): string {
  return text.replace(/[:[\]]/g, '_');
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
