import { execFileSync } from 'node:child_process';

/** The ACLs of files below a directory, in numbers, as `getfacl` prints them. */
export function getfacl(directory: string, paths: readonly string[]): string {
  const options = ['--numeric', '--absolute-names'];
  return execFileSync('getfacl', [...options, ...paths], { cwd: directory, encoding: 'utf8' });
}
