import { existsSync, readFileSync } from 'node:fs';
import { listDirectory } from '../support/list-directory.js';
import { listTar } from '../support/list-tar.js';
import type { Found } from './compare.js';
import { readMtree } from './mtree.js';
import type { OutputForm } from './options.js';

/** Reads what a tool has made; throws where there is nothing, or nothing that can be read. */
export function readResult(path: string, form: OutputForm): Found {
  if (!existsSync(path)) throw new Error('the command made nothing at {rootfs}');
  if (form === 'mtree') return readMtree(readFileSync(path, 'latin1'));
  // overlayfs counts names that an upper layer hides, so link counts are not asserted.
  const rows = form === 'tar' ? listTar(path) : listDirectory(path, { countLinks: false });
  return { rows, lacks: new Set() };
}
