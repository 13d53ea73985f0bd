import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout's root, wherever the compiled tests lie in it. */
export const PROJECT = ancestorWith('package.json');

function ancestorWith(file: string): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, file))) directory = dirname(directory);
  return directory;
}
