import { FlattenError } from '../../errors.js';
import { type Condition, holds, needsContent, parseCondition } from '../../inspect/fail-if.js';
import { inspect } from '../../inspect/inspect.js';
import type { Facts } from '../../inspect/report/facts.js';
import { showShare } from '../../inspect/report/page/words.js';
import { parseReport, writeReport } from '../../inspect/report/write.js';
import { visibleText } from '../../rootfs/path-text.js';
import { countText } from '../../size-text.js';
import { EXIT } from '../exit.js';
import type { InspectFlags } from '../look-options.js';
import { parseSize, showSize } from '../numbers.js';
import { printJson } from '../report.js';
import { inspectionJson } from './inspection-json.js';
import { inspectionLines } from './inspection-text.js';
import { withHistory } from './open.js';
import { printLines } from './print.js';

/** Does what `flatten inspect` was asked for. */
export async function printInspection(
  image: string,
  flags: InspectFlags,
  signal: AbortSignal,
): Promise<void> {
  const { content = false, worst, failIf = [], json } = flags;
  const conditions = failIf.map((text) => parseCondition(text, parseSize));
  const blind = conditions.find(needsContent);
  if (blind && !content)
    throw new FlattenError('USAGE', `{failIf: ${blind.text}}: only the content can tell`, {
      hint: 'add --content',
    });
  const { output, force = false, quiet, ...look } = flags;
  const report = output === undefined ? undefined : parseReport(output, { force });
  await withHistory(image, { ...look, ...(quiet && { quiet }) }, signal, async (history) => {
    const drawn = report && (await writeReport(history, report));
    if (drawn && !json && !quiet) process.stderr.write(`${output}: ${sums(drawn)}\n`);
    const found = await inspect(history, { content, worst, signal });
    const failed = conditions.flatMap((condition) => {
      const measured = holds(condition, found);
      return measured === undefined ? [] : [{ condition, measured }];
    });
    if (json) printJson({ ...inspectionJson(found), failed: failed.map(({ condition: { text } }) => text) });
    else if (!report) await printLines(inspectionLines(found, history.layers.length), signal);
    for (const { condition, measured } of failed)
      process.stderr.write(`flatten: ${condition.text}: it is ${measuredText(condition, measured)}\n`);
    if (failed.length > 0) process.exitCode = EXIT.failed;
  });
}

function measuredText({ isPercent, measure }: Condition, measured: number): string {
  if (isPercent) return `${measured.toFixed(1)}%`;
  return /^(size|waste|overwritten|removed|metadata|twice)$/.test(measure)
    ? showSize(measured)
    : String(measured);
}

/** What a report shows, in one line. */
function sums({ name, entries, bytes, waste, layers }: Facts): string {
  const counted = `${countText(layers.length)} ${layers.length === 1 ? 'layer' : 'layers'}`;
  const image = visibleText(Buffer.from(name).toString('latin1'));
  return `${image}, ${countText(entries)} entries, ${showSize(bytes)} in ${counted}, ${showSize(waste)} (${showShare(waste, bytes)}) not shown`;
}
