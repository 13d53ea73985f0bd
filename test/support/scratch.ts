import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A fresh directory, removed when the test, or whatever else has an `after`, ends. */
export function scratch(t: { after(done: () => void): void }): string {
  const directory = mkdtempSync(join(tmpdir(), 'flatten-test-'));
  t.after(() => remove(directory));
  return directory;
}

/** Also where there are directories in it that a plain user cannot go into. */
function remove(directory: string): void {
  try {
    rmSync(directory, { recursive: true, force: true });
  } catch {
    execFileSync('chmod', ['-R', 'u+rwx', directory]);
    rmSync(directory, { recursive: true, force: true });
  }
}
