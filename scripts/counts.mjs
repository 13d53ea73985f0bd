/**
 * A reporter for `node --test`: one line of JSON with how many tests passed, failed and were skipped. A suite is not
 * counted, unless it was skipped and its tests with it.
 */
export default async function* counts(events) {
  const found = { passed: 0, failed: 0, skipped: 0 };
  for await (const { type, data } of events) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    if (data.skip !== undefined || data.todo !== undefined) found.skipped++;
    else if (data.details?.type === 'suite') continue;
    else if (type === 'test:pass') found.passed++;
    else found.failed++;
  }
  yield `${JSON.stringify(found)}\n`;
}
