import type { Geometry } from './geometry.js';
import { BLOCK, FEATURES, INODE } from './structures/features.js';
import { runTool, type ToolOptions } from './tool.js';

/** What tells one file system from another. */
export interface Identity {
  /** As text, with hyphens. */
  readonly uuid: string;
  readonly label: string;
}

/**
 * Has mke2fs format `file` with exactly this geometry. Its configuration file is not read, and every option is
 * given that its versions or the size of the file would choose otherwise. To be called once `checkVersion` has resolved.
 */
export async function formatImage(
  file: string,
  geometry: Geometry,
  { uuid, label }: Identity,
  options: ToolOptions,
): Promise<void> {
  const { format, journalBlocks, blocks } = geometry;
  const features = FEATURES[format].filter((feature) => feature !== 'has_journal' || journalBlocks > 0);
  const journal = journalBlocks > 0 ? ['-J', `size=${(journalBlocks * BLOCK) / 2 ** 20}`] : [];
  const args = [
    ...['-q', '-F', '-T', 'default', '-o', 'Linux', '-e', 'continue'],
    ...['-b', `${BLOCK}`, '-I', `${INODE}`, '-N', `${geometry.inodes}`, '-g', `${geometry.blocksPerGroup}`],
    ...['-m', `${geometry.reservedPercent}`, ...journal],
    ...['-O', ['none', ...features].join(), '-E', `hash_seed=${uuid},lazy_journal_init=1,root_owner=0:0`],
    ...['-U', uuid, '-L', label, '-M', '', '--', file, `${blocks}`],
  ];
  await runTool('mke2fs', args, options);
}

/** Turns checks by mount count and by time off. */
export async function finishImage(file: string, options: ToolOptions): Promise<void> {
  await runTool('tune2fs', ['-c', '0', '-i', '0', file], options);
}

/** Has e2fsck judge the file: it must find nothing at all. */
export async function judgeImage(file: string, options: ToolOptions): Promise<void> {
  await runTool('e2fsck', ['-f', '-n', file], options);
}
