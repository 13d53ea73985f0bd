import type { FlattenError } from '../errors.js';
import type { Job } from './job.js';
import type { OutputRecord } from './record.js';
import type { BatchResult } from './result.js';
import type { Surveyed } from './survey.js';

/** What came of an image whose output is there. */
export function resultOf(
  { job, output, request }: Surveyed,
  { digest, platform, layers, entries, bytes, outputDigest }: Omit<OutputRecord, 'version'>,
  how: Pick<BatchResult, 'state' | 'losses' | 'seconds' | 'fetched' | 'cached'>,
): BatchResult {
  return {
    ...how,
    place: job.place,
    image: job.image,
    output: output.text,
    ...(digest !== undefined && { digest }),
    ...(platform !== undefined && { platform }),
    ...(layers !== undefined && { layers }),
    ...(entries !== undefined && { entries }),
    ...(bytes !== undefined && { bytes }),
    ...(outputDigest !== undefined && { outputDigest }),
    request: { ...request, input: job.reference },
  };
}

/** What came of an image that is there already. */
export function currentResult(work: Surveyed): BatchResult {
  const how = { state: 'current', losses: [], seconds: 0, fetched: 0, cached: 0 } as const;
  return resultOf(work, work.record!, how);
}

/** What came of an image that failed, before or after it was known where it goes. */
export function failedResult(
  { place, image, reference }: Job,
  error: FlattenError,
  { work, seconds = 0 }: { readonly work?: Surveyed; readonly seconds?: number } = {},
): BatchResult {
  const digest = work?.look?.digest;
  return {
    state: 'failed',
    place,
    image,
    ...(digest !== undefined && { digest }),
    ...(work && { output: work.output.text, request: { ...work.request, input: reference } }),
    losses: [],
    seconds,
    fetched: 0,
    cached: 0,
    error,
  };
}
