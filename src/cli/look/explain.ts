import { entryJson } from '../../inspect/entry-json.js';
import { type Explanation, explain, type Step } from '../../inspect/explain.js';
import { type History, isIdle, type LayerFacts } from '../../inspect/history.js';
import { isRemoval } from '../../inspect/touch.js';
import { short } from '../../oci/digest.js';
import { textOf, visibleText } from '../../rootfs/path-text.js';
import { EXIT } from '../exit.js';
import type { LookFlags } from '../look-options.js';
import { printJson } from '../report.js';
import { commandText } from './command-text.js';
import { bytesText, changesText, nodeText } from './entry-text.js';
import { withHistory } from './open.js';
import { printLines } from './print.js';

/** Does what `flatten explain` was asked for. */
export async function printExplanations(
  image: string,
  paths: readonly string[],
  flags: LookFlags,
  signal: AbortSignal,
): Promise<void> {
  await withHistory(image, flags, signal, async (history) => {
    const found = [...explain(history, paths)];
    if (flags.json) printJson({ paths: found.map((one) => jsonOf(one, history.layers)) });
    else
      await printLines(
        found.flatMap((one, at) => linesOf(one, history, at === 0)),
        signal,
      );
    if (found.some(({ node }) => node === undefined)) process.exitCode = EXIT.failed;
  });
}

function linesOf(one: Explanation, history: History, isFirst: boolean): string[] {
  const steps = one.steps.flatMap((step) => stepLines(step, one, history.layers[step.layer - 1]!));
  return [
    ...(isFirst ? [] : ['']),
    visibleText(one.path) || '.',
    ...one.way.map(
      ({ path, target }) => `  through the symlink ${visibleText(path)} -> ${visibleText(target)}`,
    ),
    ...steps.map((line) => `  ${line}`),
    `  ${conclusion(one, history.layers.length)}`,
  ];
}

/** What was done, and below it the command that did it. */
function stepLines(step: Step, { place }: Explanation, layer: LayerFacts): string[] {
  const digest = layer.diffID ?? layer.digest;
  const where = `layer ${step.layer}${digest ? ` (${short(digest)})` : ''}`;
  const rule = step.rule === undefined ? '' : ` (rule ${step.rule})`;
  const command = commandText(layer.createdBy);
  return [
    `${where}: ${whatWasDone(step, place)}${rule}`,
    ...(command === undefined ? [] : [`    ${command}`]),
  ];
}

function whatWasDone(step: Step, place: string): string {
  const { act, node, hid, at, isLink, isImplied, meta, before } = step;
  const above = at === place ? '' : ` of ${visibleText(at) || 'the root'}`;
  const gone = hid === undefined ? ', but nothing was there' : `, which hid the ${hid.kind}`;
  switch (act) {
    case 'whiteout':
      return `a whiteout${above}${gone}`;
    case 'opaque':
      return `an opaque marker in ${visibleText(at) || 'the root'}${gone}`;
    case 'covered':
      return `${visibleText(at)} is no directory any more${gone}`;
    case 'described':
      return `described anew: ${changesText(before!, meta!) || 'nothing differs'}`;
    default: {
      const what = `${nodeText(node!, meta!)}${isLink ? ', as a hard link' : isImplied ? ', implied by what is below it' : ''}`;
      if (act === 'added') return `added: ${what}`;
      if (step.sameContent) {
        const changes = changesText(hid!.meta, meta!) || 'nothing differs';
        return `replaced by a file of the same content: ${changes}; the copy costs ${bytesText(step.bytes)}`;
      }
      return `replaced the ${hid!.kind}: ${what}`;
    }
  }
}

function conclusion({ node, layer, steps, links, nearest }: Explanation, layers: number): string {
  if (node !== undefined) {
    const also = links.length === 0 ? '' : `; the same inode as ${links.map(visibleText).join(', ')}`;
    return layer === undefined
      ? `is there before any layer says so${also}`
      : `comes from layer ${layer} of ${layers}${also}`;
  }
  const last = steps.findLast((step) => isRemoval(step) && !isIdle(step));
  if (last !== undefined) return `is not in the image since layer ${last.layer} of ${layers}`;
  const near = nearest.length === 0 ? '' : `; there is ${nearest.map(visibleText).join(', ')}`;
  return `is not in the image, and no layer ever had it${near}`;
}

function jsonOf(one: Explanation, layers: readonly LayerFacts[]): object {
  const { path, way, place, node, layer, steps, links, nearest } = one;
  return {
    path: textOf(path) || '.',
    isThere: node !== undefined,
    ...(layer !== undefined && { layer }),
    ...(node && { entry: entryJson(place, node) }),
    way: way.map((each) => ({ path: textOf(each.path), target: textOf(each.target) })),
    steps: steps.map((step) => stepJson(step, place, layers[step.layer - 1]!)),
    links: links.map(textOf),
    nearest: nearest.map(textOf),
  };
}

function stepJson(step: Step, place: string, { digest, diffID, createdBy }: LayerFacts): object {
  const { layer, act, rule, node, meta, hid, at, isLink, isImplied, sameContent, bytes } = step;
  const named = node && meta ? { entry: entryJson(place, { ...node, meta }) } : {};
  return {
    layer,
    ...(digest && { digest }),
    ...(diffID && { diffID }),
    ...(createdBy !== undefined && { createdBy }),
    act,
    ...(rule !== undefined && { rule }),
    at: textOf(at) || '.',
    ...named,
    ...(isLink && { isLink }),
    ...(isImplied && { isImplied }),
    ...(hid && { hid: entryJson(place, hid) }),
    ...(sameContent !== undefined && { sameContent }),
    bytes,
  };
}
