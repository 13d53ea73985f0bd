import type { Context } from '../context.js';
import type { RegistryReference } from '../oci/registry-reference.js';
import type { ClientMeans } from './client.js';
import { Connections } from './connections.js';
import { Destination } from './destination.js';
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

/** Opens the repository that a reference names, to read. It is not asked for anything yet. The caller closes it. */
async function openRepository(
  reference: RegistryReference,
  options: RegistryOptions,
  context: Means,
): Promise<Repository> {
  return new Repository(reference, await meansFor(reference, options, context));
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
  const open = (place: Place, isLast: boolean) =>
    openRepository(
      place.reference,
      trusting(place, options),
      isLast ? context : { ...context, tries: MIRROR_TRIES },
    );
  return new MirroredRepository(places, open, context.report);
}

/**
 * Opens the repository that a reference names, to push to: at the location that registries.conf has for it, and never at a mirror, as other tools do. It
 * is not asked for anything yet. Throws as {@link openMirrored} does. The caller closes it.
 */
export async function openDestination(
  reference: RegistryReference,
  options: RegistryOptions,
  context: Pick<Context, 'signal' | 'report'>,
): Promise<Destination> {
  const place = placesFor(reference, await registryRules()).at(-1)!;
  return new Destination(place.reference, await meansFor(place.reference, trusting(place, options), context));
}

type Means = Pick<Context, 'signal' | 'report'> & Pick<Waiting, 'tries'>;

/** What the user says of registries, and what registries.conf says of this one. */
function trusting({ reference, isInsecure }: Place, options: RegistryOptions): RegistryOptions {
  const { insecure = [] } = options;
  return isInsecure ? { ...options, insecure: [...insecure, reference.host] } : options;
}

async function meansFor(
  reference: RegistryReference,
  { authfile, insecure = [], allowForeignLayers = false }: RegistryOptions,
  { signal, report, tries }: Means,
): Promise<ClientMeans> {
  const credential = await findCredential(reference, { authfile, signal, report });
  const connections = new Connections((host) => trustOf(host, insecure.includes(host)));
  const waiting = { report, ...(tries !== undefined && { tries }) };
  const isInsecure = insecure.includes(reference.host);
  return { connections, waiting, credential, isInsecure, allowForeign: allowForeignLayers };
}
