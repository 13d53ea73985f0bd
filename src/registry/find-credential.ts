import type { Context } from '../context.js';
import { FlattenError, throwIfAborted } from '../errors.js';
import type { RegistryReference } from '../oci/registry-reference.js';
import { type AuthEntry, type AuthFile, authFiles } from './auth-files.js';
import type { Credential } from './credential.js';
import { askHelper } from './credential-helper.js';

/** How credentials are looked for. */
export interface CredentialOptions extends Pick<Context, 'signal' | 'report'> {
  /** The only file to look in. */
  readonly authfile?: string | undefined;
}

/**
 * Finds what to show to a registry: in the first file that has something, a program for just this host, then the entry that names most of the repository,
 * then the program for all hosts. Undefined for nobody. A program that fails is a warning, and nobody is shown.
 */
export async function findCredential(
  reference: Pick<RegistryReference, 'host' | 'repository'>,
  options: CredentialOptions,
): Promise<Credential | undefined> {
  for (const file of authFiles(options.authfile)) {
    const found = await inFile(file, reference, options);
    throwIfAborted(options.signal);
    if (found !== undefined) return found;
  }
  return undefined;
}

async function inFile(
  file: AuthFile,
  reference: Pick<RegistryReference, 'host' | 'repository'>,
  options: CredentialOptions,
) {
  const { host } = reference;
  const helper = file.helpers.get(host);
  if (helper !== undefined) return askHelper({ helper, host, file: file.path }, options);
  for (const key of keysOf(reference)) {
    const entry = file.auths.get(key);
    const found = entry && ofEntry(entry, file.path);
    if (found !== undefined) return found;
  }
  return file.store === undefined
    ? undefined
    : askHelper({ helper: file.store, host, file: file.path }, options);
}

/** `host/a/b`, `host/a`, `host`. */
function keysOf({ host, repository }: Pick<RegistryReference, 'host' | 'repository'>): readonly string[] {
  const parts = [host, ...repository.split('/')];
  return parts.map((_, index) => parts.slice(0, parts.length - index).join('/'));
}

function ofEntry({ auth, identityToken }: AuthEntry, from: string): Credential | undefined {
  if (identityToken !== undefined) return { identityToken, from };
  if (auth === undefined) return undefined;
  const text = Buffer.from(auth, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon <= 0)
    throw new FlattenError('USAGE', `${from}: an entry is not of the form that docker login writes`);
  // Old versions of Docker filled the password with zeros.
  return { username: text.slice(0, colon), password: text.slice(colon + 1).replace(/\0+$/, ''), from };
}
