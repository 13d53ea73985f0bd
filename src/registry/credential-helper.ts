import type { Context } from '../context.js';
import { shown } from '../oci/shown.js';
import type { Credential } from './credential.js';

/** Milliseconds that a program may take: some ask a server. */
const TIMEOUT = 30_000;
const OUTPUT_LIMIT = 64 * 1024;

/** A program that keeps credentials, and the file that names it. */
export interface Helper {
  /** `X` of `docker-credential-X`. */
  readonly helper: string;
  readonly host: string;
  readonly file: string;
}

/**
 * Asks a program for the credentials of a host (docker-credential-helpers). Undefined where it has none. Where it is missing or fails there is a
 * warning, and the registry is asked as nobody: on another machine the file may name what this one does not have.
 */
export async function askHelper(
  { helper, host, file }: Helper,
  { signal, report }: Pick<Context, 'signal' | 'report'>,
): Promise<Credential | undefined> {
  const program = `docker-credential-${helper}`;
  const warn = (what: string) => {
    const message = `${host}: ${shown(program)}, which ${file} names, ${what}: going on without credentials`;
    report({ type: 'warning', code: 'CREDENTIALS', message });
    return undefined;
  };
  if (!/^[\w.-]+$/.test(helper)) return warn('is not the name of a program');
  const { execa } = await import('execa');
  const asked = await execa(program, ['get'], {
    input: host === 'docker.io' ? 'https://index.docker.io/v1/' : host,
    cwd: '/',
    reject: false,
    timeout: TIMEOUT,
    maxBuffer: OUTPUT_LIMIT,
    cancelSignal: signal,
  });
  if (asked.code === 'ENOENT') return warn('is not installed');
  if (asked.failed) {
    const isNone = /credentials not found|no credentials server url/i.test(
      `${asked.stdout}\n${asked.stderr}`,
    );
    // What it prints may have a secret in it, and is not repeated.
    return isNone
      ? undefined
      : warn(asked.timedOut ? 'does not answer' : `fails with exit code ${asked.exitCode}`);
  }
  try {
    const { Username, Secret } = JSON.parse(asked.stdout);
    if (typeof Secret !== 'string' || Secret === '') return undefined;
    const from = `${program} (${file})`;
    return Username === '<token>'
      ? { identityToken: Secret, from }
      : { username: String(Username), password: Secret, from };
  } catch {
    return warn('does not answer as it should');
  }
}
