import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A fresh directory, removed when the test, or whatever else has an `after`, ends. */
export function scratch(t: { after(done: () => void): void }): string {
  const directory = mkdtempSync(join(tmpdir(), 'flatten-test-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
