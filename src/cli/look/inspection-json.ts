import type { Inspection } from '../../inspect/inspect.js';
import type { WastedPath } from '../../inspect/waste.js';
import { formatPlatform } from '../../oci/platform.js';
import { textOf } from '../../rootfs/path-text.js';

/** What `flatten inspect --json` prints, without its version. Sizes are bytes; layers are counted from 1, the base. */
export function inspectionJson({
  image,
  start,
  layers,
  tree,
  waste,
  twice,
  disks,
  notable,
}: Inspection): object {
  const { name, kind, digest, platform } = image;
  return {
    image: { name, kind, ...(digest && { digest }), ...(platform && { platform: formatPlatform(platform) }) },
    ...(start && { start }),
    tree,
    layers: layers.map((layer, index) => ({ ...layer, wasted: waste.ofLayers[index] })),
    waste: {
      bytes: waste.bytes,
      files: waste.files,
      carried: waste.carried,
      ...waste.by,
      isExact: twice !== undefined,
      worst: waste.worst.map(wastedJson),
    },
    ...(twice && {
      twice: {
        bytes: twice.bytes,
        files: twice.files,
        worst: twice.worst.map(({ paths, bytes }) => ({ paths: paths.map(textOf), bytes })),
      },
    }),
    ...(disks && { disks }),
    notable: Object.fromEntries(Object.entries(notable).map(([what, paths]) => [what, paths.map(textOf)])),
  };
}

function wastedJson({ path, bytes, files, hidden }: WastedPath): object {
  return {
    path: textOf(path),
    bytes,
    files,
    hidden: hidden.map(({ layer, bytes, why, by, at }) => ({ layer, bytes, why, by, at: textOf(at) || '.' })),
  };
}
