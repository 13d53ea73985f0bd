import type { History } from './history.js';
import { type Facts, factsOf } from './report/facts.js';
import { htmlReport } from './report/html.js';
import { sizeTree } from './report/size-tree.js';

/** What a report can be: a page to click through, or one picture. */
export type ReportFormat = 'html' | 'svg';

/** A report of an image, as the text of one file that needs nothing else. Nothing but headers is read for it. */
export async function reportText(history: History, format: ReportFormat): Promise<string> {
  return (await makeReport(history, format)).text;
}

/** The same, with the sums that it shows. */
export async function makeReport(
  history: History,
  format: ReportFormat,
): Promise<{ readonly text: string; readonly facts: Facts }> {
  const root = sizeTree(history);
  const facts = factsOf(history, root);
  if (format === 'html') return { text: htmlReport(facts, root), facts };
  const { svgReport } = await import('./report/svg.js');
  return { text: svgReport(facts, root), facts };
}
