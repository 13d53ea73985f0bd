import { existsSync } from 'node:fs';
import { FlattenError } from '../errors.js';
import { parseKeptName } from '../oci/image-name.js';
import { parseRegistryReference, type RegistryReference } from '../oci/registry-reference.js';
import { parseWebAddress, type WebAddress } from '../web/address.js';

/** What a reference says an input is; `any` leaves it to the content. */
export type Format = 'any' | 'docker-archive' | 'oci' | 'dir' | 'rootfs';

/** An image or a root filesystem in a file or a directory of this machine. */
export interface StoredInput {
  readonly kind: 'stored';
  /** As it was typed: for messages. */
  readonly text: string;
  readonly format: Format;
  /** `-` is standard input. */
  readonly path: string;
  /** The name or tag after the path. */
  readonly image?: string;
}

/** An image in a running engine. */
export interface EngineInput {
  readonly kind: 'engine';
  readonly text: string;
  /** `NAME[:TAG]`, `NAME@DIGEST` or an id. */
  readonly name: string;
}

/** An image in a registry. */
export interface RegistryInput {
  readonly kind: 'registry';
  readonly text: string;
  readonly reference: RegistryReference;
}

/** A file on the web. */
export interface WebInput {
  readonly kind: 'web';
  /** Without what may be a secret. */
  readonly text: string;
  readonly address: WebAddress;
  readonly format: Extract<Format, 'any' | 'rootfs'>;
}

/** Where something is read from: an input taken apart. */
export type Input = StoredInput | EngineInput | RegistryInput | WebInput;

/** The transports of skopeo whose images lie in files, and what each says of its files. */
const FORMATS: Readonly<Record<string, Format>> = {
  'docker-archive': 'docker-archive',
  oci: 'oci',
  'oci-archive': 'oci',
  dir: 'dir',
  rootfs: 'rootfs',
};

/** What an input may begin with, with the colon. */
export const INPUT_TRANSPORTS: readonly string[] = [
  ...[...Object.keys(FORMATS), 'docker-daemon'].map((transport) => `${transport}:`),
  'docker://',
  'https://',
];

/** Transports of images that lie in no file that is read here, and the command that makes an archive of one. */
const COMMANDS: Readonly<Record<string, string>> = {
  'containers-storage': 'podman save REST -o image.tar',
};

/** Other tools' transports and addresses, which are paths only where such a path is there. */
const FOREIGN =
  /^((docker-image|docker-tar|registry|ostree|sif|tarball|s3|gs|gcs|az|file):|[a-z][a-z0-9+.-]*:\/\/)/i;

/**
 * Takes an input apart: `PATH`, `-`, `docker-archive:PATH[:NAME:TAG]`, `oci:PATH[:TAG]`, `oci-archive:PATH[:TAG]`, `dir:PATH`,
 * `rootfs:PATH`, `docker-daemon:NAME[:TAG|@ID]` `docker://[HOST[:PORT]/]NAME[:TAG][@DIGEST]` or
 * `[rootfs:]https://HOST/PATH[#DIGEST]`. Throws `USAGE` where it makes no sense, and `UNSUPPORTED` for what is in no file.
 */
export function parseInput(text: string): Input {
  if (text.startsWith(REGISTRY))
    return { kind: 'registry', text, reference: parseRegistryReference(text.slice(REGISTRY.length)) };
  const [, transport = '', rest = ''] = TRANSPORT.exec(text) ?? [];
  const plain = transport === 'rootfs' ? rest : text;
  if (/^https?:\/\//.test(plain)) {
    const address = parseWebAddress(plain);
    return { kind: 'web', text: address.shown, address, format: transport === 'rootfs' ? 'rootfs' : 'any' };
  }
  refuseForeign(plain);
  if (transport === 'docker-daemon') return { kind: 'engine', text, name: parseKeptName(rest) };
  const format = Object.hasOwn(FORMATS, transport) ? FORMATS[transport]! : 'any';
  const place =
    format === 'any'
      ? { path: text }
      : format === 'rootfs' || format === 'dir'
        ? { path: rest }
        : splitName(rest);
  if (place.path === '') throw new FlattenError('USAGE', `input ${JSON.stringify(text)}: names no path`);
  return { kind: 'stored', text, format, ...place };
}

const REGISTRY = 'docker://';

const TRANSPORT = /^([a-z-]+):(.*)$/s;

/** Throws `UNSUPPORTED` for what lies in no file, with the command that makes a file of it. */
function refuseForeign(reference: string): void {
  const [, transport = '', rest = ''] = TRANSPORT.exec(reference) ?? [];
  if (Object.hasOwn(FORMATS, transport) || transport === 'docker-daemon') return;
  if (Object.hasOwn(COMMANDS, transport)) {
    throw new FlattenError('UNSUPPORTED', `${reference}: is not in a file, and only files are read`, {
      hint: `${COMMANDS[transport]!.replace('REST', () => rest)}, then flatten image.tar`,
    });
  }
  if (!FOREIGN.test(reference) || existsSync(reference)) return;
  throw new FlattenError('UNSUPPORTED', `${reference}: only files and directories are read so far`, {
    hint: 'get an archive first: skopeo copy docker://NAME docker-archive:image.tar, or docker save NAME -o image.tar',
  });
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
