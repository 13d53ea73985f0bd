import { FlattenError } from '../errors.js';
import { type Digest, isDigest } from './digest.js';
import { COMPONENT, HOST, LONGEST_NAME, TAG } from './image-name.js';
import { shown } from './shown.js';

/** An image in a registry, with all that a short name leaves out. */
export interface RegistryReference {
  /** `HOST[:PORT]` as people and credentials call it: `docker.io` for Docker Hub, whatever its servers are called. */
  readonly host: string;
  /** Path components in lower case: `library/alpine`. */
  readonly repository: string;
  /** Absent where there is a digest and no tag. */
  readonly tag?: string;
  /** What is fetched, where it is there: the tag beside it is only for people. */
  readonly digest?: Digest;
}

/** The names that Docker Hub goes by. */
const HUB = ['docker.io', 'index.docker.io', 'registry-1.docker.io', 'registry.hub.docker.com'];

/**
 * Reads `[HOST[:PORT]/]NAME[:TAG][@DIGEST]` as Docker does: what has no host is on Docker Hub, what has no slash either is below
 * `library/`, and what has neither tag nor digest is `latest`. Throws `USAGE`.
 */
export function parseRegistryReference(text: string): RegistryReference {
  const [named, digest, ...more] = text.split('@') as [string, ...string[]];
  const [, name = '', tag] = /^(.*?)(?::([^/:]*))?$/s.exec(named)!;
  const [first, ...rest] = name.split('/') as [string, ...string[]];
  const hasHost = rest.length > 0 && (/[.:A-Z[]/.test(first) || first === 'localhost');
  const path = hasHost ? rest : [first, ...rest];
  const host = hasHost && !HUB.includes(first) ? first : 'docker.io';
  const components = host === 'docker.io' && path.length === 1 ? ['library', ...path] : path;
  if (more.length > 0 || (digest !== undefined && !isDigest(digest)))
    throw bad(text, 'what follows the @ is not a digest');
  if (hasHost && !HOST.test(first)) throw bad(text, `${shown(JSON.stringify(first))} is not a host`);
  if (!components.every((part) => COMPONENT.test(part)) || name.length > LONGEST_NAME)
    throw bad(text, /[A-Z]/.test(path.join('/')) ? 'a name is in lower case' : 'is not a name');
  if (tag !== undefined && !TAG.test(tag)) throw bad(text, `${shown(JSON.stringify(tag))} is not a tag`);
  const meant = tag ?? (digest === undefined ? 'latest' : undefined);
  return {
    host,
    repository: components.join('/'),
    ...(meant !== undefined && { tag: meant }),
    ...(digest !== undefined && { digest: digest as Digest }),
  };
}

/** The whole name: `docker.io/library/alpine:latest`. */
export function formatRegistryReference({ host, repository, tag, digest }: RegistryReference): string {
  return `${host}/${repository}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

function bad(text: string, what: string): FlattenError {
  // A name and a password have no place in a reference, and people try; they are not repeated.
  const said = text.replace(/^[^/]*@(?!sha)/, '…@');
  return new FlattenError('USAGE', `docker://${shown(said)}: ${what}`, {
    hint: 'the image of a registry looks like docker://ghcr.io/org/app:1.2, docker://alpine, or docker://HOST/NAME@sha256:DIGEST',
  });
}
