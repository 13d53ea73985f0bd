import { existsSync } from 'node:fs';
import { FlattenError } from '../errors.js';

/** What a reference says an input is; `any` leaves it to the content. */
export type Format = 'any' | 'docker-archive' | 'oci' | 'rootfs';

/** A reference taken apart. */
export interface Location {
  readonly format: Format;
  /** A path on this machine; `-` is standard input. */
  readonly path: string;
  /** The name or tag after the path. */
  readonly image?: string;
}

/** The transports of skopeo whose images lie in files, and what each says of its files. */
const FORMATS: Readonly<Record<string, Format>> = {
  'docker-archive': 'docker-archive',
  oci: 'oci',
  'oci-archive': 'oci',
  rootfs: 'rootfs',
};

/** Takes apart `PATH`, `-`, `docker-archive:PATH[:NAME:TAG]`, `oci:PATH[:TAG]`, `oci-archive:PATH[:TAG]` or `rootfs:PATH`. */
export function locate(reference: string): Location {
  const colon = reference.indexOf(':');
  const transport = colon < 0 ? '' : reference.slice(0, colon);
  const rest = reference.slice(colon + 1);
  const format = Object.hasOwn(FORMATS, transport) ? FORMATS[transport]! : undefined;
  if (format === undefined) {
    refuseRemote(transport, rest, reference);
    return { format: 'any', path: reference };
  }
  if (format === 'rootfs') return { format, path: rest };
  return { format, ...splitName(rest) };
}

/** The longest part before a colon that exists is the path: both paths and names may have colons. */
function splitName(text: string): { path: string; image?: string } {
  for (let end = text.length; end > 0; end = text.lastIndexOf(':', end - 1)) {
    const path = text.slice(0, end);
    const image = text.slice(end + 1);
    if (existsSync(path)) return image === '' ? { path } : { path, image };
  }
  const [path] = text.split(':') as [string];
  const image = text.slice(path.length + 1);
  return image === '' ? { path } : { path, image };
}

function refuseRemote(transport: string, rest: string, reference: string): void {
  const commands: Readonly<Record<string, string>> = {
    docker: `skopeo copy docker:${rest} oci-archive:image.tar`,
    'docker-daemon': `docker save ${rest} -o image.tar`,
    'containers-storage': `podman save ${rest} -o image.tar`,
    http: `curl -fLo image.tar ${reference}`,
    https: `curl -fLo image.tar ${reference}`,
  };
  if (!Object.hasOwn(commands, transport)) return;
  if (transport !== 'docker-daemon' && transport !== 'containers-storage' && !rest.startsWith('//')) return;
  throw new FlattenError('UNSUPPORTED', `${reference}: is not in a file, and only files are read`, {
    hint: `${commands[transport]}, then flatten image.tar`,
  });
}
