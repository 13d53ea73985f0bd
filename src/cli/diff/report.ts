import type { OpenDiff } from '../../inspect/diff/inputs.js';
import type { TreeChange } from '../../inspect/diff/trees.js';
import type { Aspect } from '../../rootfs/compare.js';
import { countText } from '../../size-text.js';
import { folded, unfolded } from './fold.js';
import { changeJson, configJson, headJson } from './json.js';
import { changeLine, configLine } from './lines.js';
import { statLines } from './stat.js';
import { unified } from './unified.js';

/** What is printed of a comparison. */
export interface DiffFlags {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly stat?: boolean;
  readonly content?: boolean;
  /** False: each name below a directory that only one side has. */
  readonly fold: boolean;
}

/** Characters that are printed at a time. */
const PIECE = 1 << 16;

/** How many differences there are. */
export function totalOf({ changes, config }: OpenDiff): number {
  return changes.length + config.length;
}

/** Prints what differs on standard output, and one line on standard error. Throws what reading content throws. */
export async function printDiff(diff: OpenDiff, flags: DiffFlags): Promise<void> {
  let text = '';
  for await (const line of lines(diff, flags)) {
    text += `${line}\n`;
    if (text.length < PIECE) continue;
    process.stdout.write(text);
    text = '';
  }
  process.stdout.write(text);
  if (!flags.json && !flags.quiet) process.stderr.write(`${summary(diff)}\n`);
}

async function* lines(diff: OpenDiff, flags: DiffFlags): AsyncGenerator<string> {
  const { changes, config, sides, sharedLayers } = diff;
  if (flags.json) yield JSON.stringify(headJson(sides, sharedLayers));
  if (flags.stat && !flags.json) {
    yield* statLines(changes);
    return;
  }
  yield* config.map((each) => (flags.json ? JSON.stringify(configJson(each)) : configLine(each)));
  if (flags.json) {
    for (const change of changes)
      yield JSON.stringify({
        ...changeJson(change),
        ...(flags.content && { diff: await contentOf(change) }),
      });
    yield JSON.stringify({ equal: totalOf(diff) === 0, counts: countsOf(diff) });
    return;
  }
  for (const line of flags.fold ? folded(changes) : unfolded(changes)) {
    yield changeLine(line);
    const text = flags.content ? await contentOf(line.change) : undefined;
    if (text !== undefined) yield text.replace(/\n$/, '');
  }
}

async function contentOf({ before, after, aspects }: TreeChange): Promise<string | undefined> {
  if (!before || !after || !aspects.includes('content')) return undefined;
  return unified(before, after, { isTerminal: process.stdout.isTTY });
}

function countsOf({ changes, config }: OpenDiff): Record<string, number> {
  const counts: Record<string, number> = { added: 0, removed: 0, renamed: 0, changed: 0 };
  for (const { change } of changes) counts[change]!++;
  return { ...counts, config: config.length };
}

function summary(diff: OpenDiff): string {
  const { changes, config, sides } = diff;
  const [before, after] = sides;
  const names = `${before.name} -> ${after.name}`;
  const entries = [before, after].map(({ rootfs }) => countText(rootfs.entries));
  if (totalOf(diff) === 0) return `${names}: no difference in ${entries[0]} entries`;
  const { config: _, ...counts } = countsOf(diff);
  const parts = Object.entries(counts).filter(([, count]) => count > 0);
  const told = parts.map(
    ([kind, count]) => `${countText(count)} ${kind}${kind === 'changed' ? inWhat(changes) : ''}`,
  );
  const fields = config.length === 0 ? [] : [`${countText(config.length)} of the config`];
  return `${names}: ${entries.join(' and ')} entries, ${[...told, ...fields].join(', ')}${shared(diff)}`;
}

function inWhat(changes: readonly TreeChange[]): string {
  const counts = new Map<Aspect, number>();
  for (const { change, aspects } of changes)
    if (change === 'changed') for (const aspect of aspects) counts.set(aspect, (counts.get(aspect) ?? 0) + 1);
  const told = [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([aspect, count]) => `${aspect} ${countText(count)}`);
  return ` (${told.join(', ')})`;
}

function shared({ sharedLayers, sides }: OpenDiff): string {
  if (sharedLayers === 0) return '';
  const layers = Math.max(...sides.map((side) => side.layers.length));
  return `; the lowest ${sharedLayers === 1 ? 'layer is' : `${sharedLayers} layers are`} the same, of ${layers}`;
}
