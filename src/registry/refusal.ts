import { FlattenError } from '../errors.js';
import { shown } from '../oci/shown.js';
import type { Credential } from './credential.js';
import type { Answer } from './exchange.js';
import { smallBody } from './small-body.js';

/** Bytes that are read of a body that says what went wrong. */
const ERROR_LIMIT = 64 * 1024;

/** What a registry says went wrong (distribution specification, error codes). */
export interface Refusal {
  readonly status: number;
  /** As `MANIFEST_UNKNOWN`; empty where it says none. */
  readonly code: string;
  /** For people, and fit to be shown; empty where there is none. */
  readonly message: string;
}

/** Reads the answer that refuses something; a page of HTML says nothing. */
export async function readRefusal({ status, body }: Pick<Answer, 'status' | 'body'>): Promise<Refusal> {
  const bytes = await smallBody(body, ERROR_LIMIT, { what: 'the error', isCut: true }).catch(() =>
    Buffer.alloc(0),
  );
  try {
    const { errors, details, message } = JSON.parse(bytes.toString('utf8'));
    const [first] = Array.isArray(errors) ? errors : [];
    const said = first?.message ?? message ?? details;
    return { status, code: text(first?.code), message: shown(text(said)) };
  } catch {
    return { status, code: '', message: '' };
  }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Who asked, and for what: for the words of an error. */
export interface Asked {
  /** As people call it. */
  readonly host: string;
  /** What was asked for: `docker.io/library/alpine:3`. */
  readonly what: string;
  /** What was shown; absent: nothing. */
  readonly credential?: Credential | undefined;
}

/** The error for an answer that is none of what was asked for. */
export function refused({ status, code, message }: Refusal, { host, what, credential }: Asked): FlattenError {
  const said = message === '' ? '' : ` (it says: ${message})`;
  const login = `docker login ${host}`;
  if (status === 401) {
    const tried =
      credential === undefined ? 'no credentials were found' : `those of ${credential.from} were refused`;
    const why =
      credential === undefined
        ? 'it is not there, or not for everybody'
        : 'the credentials are wrong or too old';
    return new FlattenError('DENIED', `${what}: the registry wants credentials, and ${tried}${said}`, {
      hint: `${why}: log in with ${login}, or podman login ${host}, or name a file with {authfile: FILE}`,
    });
  }
  if (status === 403) {
    const who =
      credential === undefined ? `who has not logged in: ${login}` : `the credentials of ${credential.from}`;
    return new FlattenError('DENIED', `${what}: the registry denies it${said}`, {
      hint: `it is not for ${who}`,
    });
  }
  if (status === 404) return new FlattenError('NOT_FOUND', `${what}: is not in the registry${said}`);
  if (status === 429) {
    return new FlattenError('NETWORK', `${host}: rate limited${said}`, {
      hint:
        credential === undefined ? `registries let those do more who log in: ${login}` : 'try again later',
    });
  }
  const which = code === '' ? `${status}` : `${status} ${shown(code)}`;
  return new FlattenError('NETWORK', `${what}: ${host} answers ${which}${said}`);
}
