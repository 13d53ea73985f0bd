import type { Context } from '../context.js';
import type { RegistryReference } from '../oci/registry-reference.js';
import { Connections } from './connections.js';
import { findCredential } from './find-credential.js';
import { MirroredRepository } from './mirrored.js';
import type { Waiting } from './patience.js';
import { type Place, placesFor } from './places.js';
import { registryRules } from './registries-conf.js';
import { Repository } from './repository.js';
import { trustOf } from './trust.js';

/** What the user says of registries. */
export interface RegistryOptions {
  /** The only file that credentials are looked for in. */
  readonly authfile?: string;
  /** Hosts, with their ports, that may speak plain http, and have any certificate. */
  readonly insecure?: readonly string[];
  /** Layers that a registry does not have may come from the addresses that it names. */
  readonly allowForeignLayers?: boolean;
}

/** Opens the repository that a reference names. It is not asked for anything yet. The caller closes it. */
async function openRepository(
  reference: RegistryReference,
  { authfile, insecure = [], allowForeignLayers = false }: RegistryOptions,
  { signal, report, tries }: Pick<Context, 'signal' | 'report'> & Pick<Waiting, 'tries'>,
): Promise<Repository> {
  const credential = await findCredential(reference, { authfile, signal, report });
  const connections = new Connections((host) => trustOf(host, insecure.includes(host)));
  const waiting = { report, ...(tries !== undefined && { tries }) };
  const isInsecure = insecure.includes(reference.host);
  const means = { connections, waiting, credential, isInsecure, allowForeign: allowForeignLayers };
  return new Repository(reference, means);
}

/** Tries of a place where there is another one. */
const MIRROR_TRIES = 2;

/**
 * Opens what a reference names for reading, at the places that registries.conf has for it. Credentials are looked up for a place when it is
 * asked. Throws `DENIED` for what is blocked, and `USAGE` for a file that makes no sense. The caller closes it.
 */
export async function openMirrored(
  reference: RegistryReference,
  options: RegistryOptions,
  context: Pick<Context, 'signal' | 'report'>,
): Promise<MirroredRepository> {
  const places = placesFor(reference, await registryRules());
  const open = ({ reference: placed, isInsecure }: Place, isLast: boolean) => {
    const { insecure = [] } = options;
    const trusting = isInsecure ? { ...options, insecure: [...insecure, placed.host] } : options;
    return openRepository(placed, trusting, isLast ? context : { ...context, tries: MIRROR_TRIES });
  };
  return new MirroredRepository(places, open, context.report);
}
