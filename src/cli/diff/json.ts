import type { ConfigChange } from '../../inspect/diff/config.js';
import type { OpenSide } from '../../inspect/diff/inputs.js';
import type { TreeChange } from '../../inspect/diff/trees.js';
import { differingXattrs } from '../../rootfs/compare.js';
import { showDate } from '../../rootfs/date.js';
import { textOf } from '../../rootfs/path-text.js';
import type { Entry } from '../../tree.js';
import { JSON_VERSION } from '../report.js';
import { octal } from './lines.js';

/** The first line: what is compared. */
export function headJson(sides: readonly OpenSide[], sharedLayers: number): object {
  const [before, after] = sides.map(({ name, digest, rootfs: { entries, bytes } }) => ({
    name,
    ...(digest && { digest }),
    entries,
    bytes,
  }));
  return { version: JSON_VERSION, before, after, sharedLayers };
}

/** A path at which the trees differ. */
export function changeJson({ change, before, after, aspects, isFurtherName }: TreeChange): object {
  const path = (after ?? before)!.path || '.';
  const xattrs = before && after ? differingXattrs(before.meta, after.meta).map(textOf) : [];
  return {
    change,
    path,
    ...(change === 'renamed' && { from: before!.path }),
    ...(before && after && { differs: aspects }),
    ...(xattrs.length > 0 && { xattrs }),
    ...(isFurtherName && { furtherName: true }),
    ...(before && { before: entryJson(before) }),
    ...(after && { after: entryJson(after) }),
  };
}

/** Something of the configs. */
export function configJson({ field, key, before, after }: ConfigChange): object {
  return { change: 'config', field, key, before, after };
}

function entryJson(entry: Entry): object {
  const { kind, node, meta, target } = entry;
  return {
    kind,
    mode: octal(node),
    uid: meta.uid,
    gid: meta.gid,
    mtime: showDate(meta.mtime),
    ...(kind === 'file' && { size: entry.size }),
    ...(target !== undefined && { target }),
    ...('major' in node && { major: node.major, minor: node.minor }),
    ...(kind !== 'directory' && { links: node.nlink }),
  };
}
