import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** A fresh directory, removed when the test ends. */
export function scratch(t: Pick<TestContext, 'after'>): string {
  const directory = mkdtempSync(join(tmpdir(), 'flatten-test-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
