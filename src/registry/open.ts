import type { Context } from '../context.js';
import type { RegistryReference } from '../oci/registry-reference.js';
import { Connections } from './connections.js';
import { Repository } from './repository.js';

/** Opens the repository that a reference names. Nothing is asked for yet. The caller closes it. */
export async function openRepository(
  reference: RegistryReference,
  { report }: Pick<Context, 'report'>,
): Promise<Repository> {
  const connections = new Connections(() => ({}));
  return new Repository(reference, { connections, waiting: { report } });
}
