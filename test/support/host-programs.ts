import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Copies programs of this machine into `root/bin`, under the names given, with the libraries that they take. */
export function copyPrograms(root: string, programs: Readonly<Record<string, string>>): void {
  for (const [name, program] of Object.entries(programs)) {
    const path = execFileSync('sh', ['-c', 'PATH=$PATH:/usr/sbin:/sbin command -v "$0"', program], {
      encoding: 'utf8',
    }).trim();
    place(realpathSync(path), join(root, 'bin', name));
    for (const library of librariesOf(path)) place(library, join(root, library));
  }
}

/** Empty for a static program, which ldd does not know. */
function librariesOf(path: string): string[] {
  try {
    return execFileSync('ldd', [path], { encoding: 'utf8', stdio: 'pipe' }).match(/\/\S+(?= \()/g) ?? [];
  } catch {
    return [];
  }
}

function place(from: string, to: string): void {
  if (existsSync(to)) return;
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
}
