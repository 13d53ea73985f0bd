/**
 * A reporter for `node --test`: one line of JSON with how many tests passed, failed and were skipped. Suites are not
 * counted, and neither are files, unless a file failed without a test of its own.
 */
export default async function* counts(events) {
  const found = { passed: 0, failed: 0, skipped: 0 };
  for await (const { type, data } of events) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    if (data.details?.type === 'suite') continue;
    if (data.skip !== undefined || data.todo !== undefined) found.skipped++;
    else if (type === 'test:pass') found.passed++;
    else found.failed++;
  }
  yield `${JSON.stringify(found)}\n`;
}
