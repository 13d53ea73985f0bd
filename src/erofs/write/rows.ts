import type { Extent } from '../../disk/block.js';
import { BLOCK } from '../../disk/block.js';
import { type ContentRows, RowBuilder } from '../../disk/content/rows.js';
import { LAYOUT, NO_BLOCK } from '../format.js';
import type { ImagePlan } from '../image-plan.js';

/** The content of files that lies in blocks of its own, each once. */
export function fileRows(plan: ImagePlan): ContentRows {
  const rows = new RowBuilder();
  const { tree, firstBlocks, isShared } = plan;
  const first = tree.inodes.length - tree.files.length;
  for (const [i, { content }] of tree.files.entries()) {
    const number = first + i;
    if (firstBlocks[number] === NO_BLOCK || isShared[number] !== 0) continue;
    rows.addFile(content, extentsOf(plan, number, content.size));
  }
  return rows.finish();
}

function extentsOf(plan: ImagePlan, number: number, size: number): Extent[] {
  const physical = plan.size.inodeBlocks + plan.firstBlocks[number]!;
  const chunked = plan.chunked.get(number);
  if (chunked === undefined) {
    const isInline = plan.layouts[number] === LAYOUT.inline;
    const count = isInline ? Math.floor(size / BLOCK) : Math.ceil(size / BLOCK);
    return [{ logical: 0, physical, count }];
  }
  const extents: Extent[] = [];
  let next = physical;
  for (let i = 0; i < chunked.runs.length; i += 2) {
    const logical = chunked.runs[i]!;
    const count = chunked.runs[i + 1]! - logical;
    extents.push({ logical, physical: next, count });
    next += count;
  }
  return extents;
}
