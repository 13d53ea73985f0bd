import { outputFile } from 'fs-extra/esm';
import { FlattenError, ioError } from '../../errors.js';
import { refuseExisting, stageFile } from '../../sinks/staging.js';
import type { History } from '../history.js';
import { makeReport, type ReportFormat } from '../report.js';
import type { Facts } from './facts.js';

/** A report that is to be written: a place that is free, and a format. */
export interface ReportOutput {
  readonly path: string;
  readonly format: ReportFormat;
  readonly force: boolean;
}

/** Takes the name of a report apart. Throws `USAGE` for an ending that is none of a report, and what stands in the way of the file. */
export function parseReport(path: string, { force = false }: { readonly force?: boolean }): ReportOutput {
  const [, ending] = /\.(html|svg)$/i.exec(path) ?? [];
  if (ending === undefined)
    throw new FlattenError('USAGE', `{output: ${path}}: a report is a page or a picture`, {
      hint: '{output: report.html} or {output: report.svg}',
    });
  refuseExisting(path, 'file', { force });
  return { path, format: ending.toLowerCase() as ReportFormat, force };
}

/** Writes a report, and returns the sums that it shows; it appears whole or not at all. */
export async function writeReport(history: History, { path, format, force }: ReportOutput): Promise<Facts> {
  const { text, facts } = await makeReport(history, format);
  const staging = await stageFile(path, { force });
  try {
    await outputFile(staging.path, text, { flag: 'wx' });
    await staging.publish();
    return facts;
  } catch (error) {
    throw ioError(error, `${path}: cannot be written`);
  } finally {
    await staging.discard();
  }
}
