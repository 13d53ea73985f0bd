import { readFileSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';

/** The home directories of this user and of everybody in the user database, as real paths; those that are not there are left out. */
export function homes(): string[] {
  return [process.env.HOME, ofUser(), ...ofDatabase()].flatMap((home) => {
    try {
      return home?.startsWith('/') ? [realpathSync(home)] : [];
    } catch {
      return [];
    }
  });
}

function ofUser(): string | undefined {
  try {
    return homedir();
  } catch {
    return undefined;
  }
}

/** The sixth field of each line: passwd(5). */
function ofDatabase(): (string | undefined)[] {
  try {
    return readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .map((line) => line.split(':')[5]);
  } catch {
    return [];
  }
}
