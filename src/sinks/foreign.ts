import { FlattenError } from '../errors.js';

/** Transports that other tools know and that nothing is written to here. */
const TRANSPORT =
  /^(docker|docker-image|docker-tar|registry|dir|rootfs|containers-storage|ostree|sif|tarball|s3|gs|gcs|az|file|https?|ftp|sftp|ssh|rsync):/i;

/** Ours, spelled as they are not: with the slashes of an address, or in capitals. */
const NEARLY_OURS = /^(docker-archive|docker-daemon|oci-archive|oci):/i;
const REGISTRY = 'docker://';

/** Throws `USAGE` for an output that is meant for somewhere else than a path: an address, or another tool's transport. */
export function refuseForeign(output: string): void {
  if (output.startsWith(REGISTRY)) return;
  const scheme = /^[a-z][a-z0-9+.-]*:(?=\/\/)/i.exec(output)?.[0];
  const [ours] = NEARLY_OURS.exec(output) ?? [];
  if (ours !== undefined && (scheme !== undefined || ours !== ours.toLowerCase())) {
    const rest = output.slice(ours.length).replace(/^\/\/+/, ours.startsWith('docker-daemon') ? '' : '/');
    throw foreign(output, `is no address: it begins with ${ours.toLowerCase()} and a name`, {
      hint: `{output: ${ours.toLowerCase()}${rest}}`,
    });
  }
  const transport = scheme ?? TRANSPORT.exec(output)?.[0];
  if (transport === undefined) return;
  const rest = output.slice(transport.length);
  throw foreign(output, `${transport} is no place that flatten writes to`, {
    hint: `${instead(transport.toLowerCase(), rest)}; for a file of that name, type {output: ./${output}}`,
  });
}

function foreign(output: string, what: string, details: { readonly hint: string }): FlattenError {
  return new FlattenError('USAGE', `${output}: ${what}`, details);
}

function instead(transport: string, rest: string): string {
  switch (transport) {
    case 'docker:':
    case 'registry:':
    case 'docker-image:':
      return `a registry is {output: docker://${rest.replace(/^\/\//, '')}}`;
    case 'containers-storage:':
      return `write an archive and copy it: {output: oci-archive:image.tar}, then skopeo copy oci-archive:image.tar ${transport}${rest}`;
    case 'dir:':
    case 'rootfs:':
    case 'file:':
      return `name the path alone: {output: ${rest.replace(/^\/\//, '')}}`;
    default:
      return 'write a file and copy it with the tool for that place: {output: rootfs.tar}';
  }
}
