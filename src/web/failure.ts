import { FlattenError } from '../errors.js';
import { shown } from '../oci/shown.js';

const CERTIFICATES = /CERT|SELF_SIGNED|UNABLE_TO_(VERIFY|GET)/;

/** A failure of the network, in words. */
export function networkError(name: string, cause: unknown): FlattenError {
  if (cause instanceof FlattenError) return cause;
  const { code = '', message } = deepest(cause);
  const hint = hintFor(code);
  return new FlattenError('IO', `${name}: ${wordsFor(code) ?? shown(message)}`, {
    cause,
    ...(hint && { hint }),
  });
}

/** What passes: a connection that ends, a server that stalls; once something has come, a network that is gone too. */
export function isPassing(error: unknown, hasBegun: boolean): boolean {
  const { code = '' } = deepest(error);
  if (/^(ECONNRESET|EPIPE|ETIMEDOUT|UND_ERR_(SOCKET|(CONNECT|HEADERS|BODY)_TIMEOUT))$/.test(code))
    return true;
  return hasBegun && /^(ECONNREFUSED|ENETUNREACH|EHOSTUNREACH|ENETDOWN|EAI_AGAIN|ENOTFOUND)$/.test(code);
}

/** An answer that is not what was asked for. */
export function statusError(name: string, status: number): FlattenError {
  if (status === 404 || status === 410)
    return new FlattenError('NOT_FOUND', `${name}: is not there (${status})`);
  const hint =
    status === 401 || status === 403
      ? { hint: 'if it takes a password: https://USER:PASSWORD@HOST/…, or download it yourself' }
      : {};
  return new FlattenError('IO', `${name}: the server answers ${status}`, hint);
}

function wordsFor(code: string): string | undefined {
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'the host is not found';
    case 'ECONNREFUSED':
      return 'nothing listens there';
    case 'EPRIVATE':
      return 'leads to a private address';
    case 'ENETUNREACH':
    case 'EHOSTUNREACH':
      return 'there is no way to the host';
    case 'UND_ERR_CONNECT_TIMEOUT':
    case 'UND_ERR_HEADERS_TIMEOUT':
    case 'UND_ERR_BODY_TIMEOUT':
      return 'the server does not answer';
    case 'UND_ERR_HEADERS_OVERFLOW':
      return 'the headers of the answer are too large';
    default:
      return CERTIFICATES.test(code) ? `its certificate is not trusted (${code})` : undefined;
  }
}

function hintFor(code: string): string | undefined {
  if (/^(ENOTFOUND|EAI_AGAIN|ENETUNREACH|EHOSTUNREACH)$/.test(code))
    return 'see whether there is a network; behind a proxy, set HTTPS_PROXY';
  return CERTIFICATES.test(code)
    ? 'if its authority is your own: NODE_EXTRA_CA_CERTS=/path/to/ca.crt'
    : undefined;
}

function deepest(error: unknown): { code?: string; message: string } {
  let found = error as { code?: string; message: string; cause?: unknown; errors?: unknown[] };
  for (let depth = 0; depth < 5; depth++) {
    const inner = (found.cause ?? found.errors?.[0]) as typeof found | undefined;
    if (!inner?.message) break;
    found = inner;
  }
  return found;
}
