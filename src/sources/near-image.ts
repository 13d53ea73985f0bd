import { FlattenError, printable } from '../errors.js';
import { isOfAnImage, looksLikeImage } from './archive.js';
import type { Members } from './members.js';

/** What was found, and what to type. */
export interface NearImage {
  /** As `holds …`. */
  readonly what: string;
  readonly hint: string;
}

/** One of these at the top, and it is a root filesystem, whatever lies beside it. */
const ROOTFS = new Set(
  'bin boot dev etc home lib lib32 lib64 media mnt opt proc root run sbin srv sys tmp usr var'.split(' '),
);

/** Directories in a directory in … that are looked into. */
const MAX_DEPTH = 5;

/**
 * Finds out whether files that are no image are no root filesystem either, but what images are made of or kept in: an image
 * a directory too deep, blobs without an index, an engine's storage. Undefined where they may be a root filesystem.
 */
export function nearImage(members: Members): NearImage | undefined {
  const { directory, names } = wrapped(members);
  if ([...names].some((name) => ROOTFS.has(name))) return undefined;
  const { name } = members;
  const place = printable(directory);
  const inner = members.isArchive
    ? `mkdir unpacked && tar -xf ${name} -C unpacked, then flatten unpacked/${place} -o OUTPUT`
    : `flatten ${name.replace(/\/+$/, '')}/${place} -o OUTPUT`;
  if (directory !== '' && looksLikeImage(names))
    return { what: `holds an image, but in its directory ${place}`, hint: inner };
  if (has(names, 'config.json', 'rootfs') && members.names(`${directory}rootfs`).size > 0) {
    return {
      what: 'is a bundle of an OCI runtime: its root filesystem is in rootfs',
      hint: inner.replace(' -o', 'rootfs -o'),
    };
  }
  if (has(names, 'Chart.yaml'))
    return {
      what: 'is a Helm chart and no image',
      hint: 'helm template CHART shows the images that it names',
    };
  return storage(names) ?? pieces(members, directory, names);
}

/** The error for it. */
export function noRootfs(name: string, { what, hint }: NearImage): FlattenError {
  const other = `if it is a root filesystem all the same, say so: rootfs:${name}`;
  return new FlattenError('BAD_IMAGE', `${name}: ${what}`, { hint: `${hint}\n${other}` });
}

/** The first directory that has more in it than one other, with a slash at its end; `''` is the top. */
function wrapped(members: Members): { directory: string; names: ReadonlySet<string> } {
  let directory = '';
  let names = members.names('');
  for (let depth = 0; names.size === 1 && depth < MAX_DEPTH; depth++) {
    const [only] = names as Set<string>;
    const below = members.names(directory + only);
    if (ROOTFS.has(only!) || below.size === 0 || only === 'blobs') break;
    directory += `${only}/`;
    names = below;
  }
  return { directory, names };
}

/** What engines keep images in. */
function storage(names: ReadonlySet<string>): NearImage | undefined {
  if (has(names, 'overlay-images', 'overlay-layers') || has(names, 'vfs-images', 'vfs-layers'))
    return {
      what: 'is the storage of podman, which holds many images',
      hint: 'podman save NAME -o image.tar, then flatten image.tar -o OUTPUT',
    };
  if (has(names, 'image', 'containers') && (names.has('overlay2') || names.has('vfs')))
    return {
      what: 'is the storage of Docker, which holds many images',
      hint: 'docker save NAME -o image.tar, then flatten image.tar -o OUTPUT',
    };
  if (has(names, 'io.containerd.content.v1.content'))
    return {
      what: 'is the storage of containerd, which holds many images',
      hint: 'ctr image export image.tar NAME, then flatten image.tar -o OUTPUT',
    };
  if (has(names, 'diff', 'link'))
    return {
      what: "is one layer in an engine's storage, and no image",
      hint: 'docker save NAME -o image.tar, then flatten image.tar -o OUTPUT',
    };
  return undefined;
}

/** Parts of images, without what says how they belong together. */
function pieces(members: Members, directory: string, names: ReadonlySet<string>): NearImage | undefined {
  const all = [...names];
  if (all.length === 0) return undefined;
  const archives = all.filter((name) => /\.(tar|tgz|tar\.[a-z0-9]+)$/.test(name));
  if (archives.length === all.length) {
    const first = printable(directory + archives.sort()[0]!);
    const hint = members.isArchive
      ? `tar -xOf ${members.name} ${first} | flatten - -o OUTPUT`
      : `flatten ${members.name.replace(/\/+$/, '')}/${first} -o OUTPUT`;
    return {
      what: `holds archives only: ${all.length === 1 ? first : `${first} and ${all.length - 1} more`}`,
      hint,
    };
  }
  const isBlobs =
    all.every((name) => isOfAnImage(name) || /^sha(256|512)$/.test(name)) &&
    all.some((name) => /^(blobs|sha256|sha512|(sha256:)?[0-9a-f]{64}(\..+)?)$/.test(name));
  if (!isBlobs) return undefined;
  return {
    what: 'holds blobs of an image, but neither the index.json nor the manifest.json that says which',
    hint: 'save or copy the image again: docker save NAME -o image.tar, or skopeo copy docker://NAME oci-archive:image.tar',
  };
}

function has(names: ReadonlySet<string>, ...wanted: readonly string[]): boolean {
  return wanted.every((name) => names.has(name));
}
