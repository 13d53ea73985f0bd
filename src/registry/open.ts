import type { Context } from '../context.js';
import type { RegistryReference } from '../oci/registry-reference.js';
import { Connections } from './connections.js';
import { findCredential } from './find-credential.js';
import { Repository } from './repository.js';
import { trustOf } from './trust.js';

/** What the user says of registries. */
export interface RegistryOptions {
  /** The only file that credentials are looked for in. */
  readonly authfile?: string;
  /** Hosts, with their ports, that may speak plain http, and have any certificate. */
  readonly insecure?: readonly string[];
}

/** Opens the repository that a reference names. It is not asked for anything yet. The caller closes it. */
export async function openRepository(
  reference: RegistryReference,
  { authfile, insecure = [] }: RegistryOptions,
  { signal, report }: Pick<Context, 'signal' | 'report'>,
): Promise<Repository> {
  const credential = await findCredential(reference, { authfile, signal, report });
  const connections = new Connections((host) => trustOf(host, insecure.includes(host)));
  const isInsecure = insecure.includes(reference.host);
  return new Repository(reference, { connections, waiting: { report }, credential, isInsecure });
}
