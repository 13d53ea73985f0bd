import { existsSync } from 'node:fs';
import { FlattenError } from '../errors.js';

/** What a reference says an input is; `any` leaves it to the content. */
export type Format = 'any' | 'docker-archive' | 'oci' | 'dir' | 'rootfs';

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
  dir: 'dir',
  rootfs: 'rootfs',
};

/** Transports of images that lie in no file that is read here, and the command that makes an archive of one. */
const COMMANDS: Readonly<Record<string, string>> = {
  docker: 'skopeo copy docker:REST oci-archive:image.tar',
  'docker-daemon': 'docker save REST -o image.tar',
  'containers-storage': 'podman save REST -o image.tar',
  http: 'curl -fLo image.tar http:REST',
  https: 'curl -fLo image.tar https:REST',
};

/** Takes apart `PATH`, `-`, `docker-archive:PATH[:NAME:TAG]`, `oci:PATH[:TAG]`, `oci-archive:PATH[:TAG]`, `dir:PATH` or `rootfs:PATH`. */
export function locate(reference: string): Location {
  const [, transport = '', rest = ''] = /^([a-z-]+):(.*)$/s.exec(reference) ?? [];
  if (Object.hasOwn(COMMANDS, transport) && (rest.startsWith('//') || !/^(docker|https?)$/.test(transport))) {
    throw new FlattenError('UNSUPPORTED', `${reference}: is not in a file, and only files are read`, {
      hint: `${COMMANDS[transport]!.replace('REST', () => rest)}, then flatten image.tar`,
    });
  }
  const format = Object.hasOwn(FORMATS, transport) ? FORMATS[transport]! : 'any';
  const location =
    format === 'any'
      ? { path: reference }
      : format === 'rootfs' || format === 'dir'
        ? { path: rest }
        : splitName(rest);
  if (location.path === '')
    throw new FlattenError('USAGE', `input ${JSON.stringify(reference)}: names no path`);
  return { format, ...location };
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
