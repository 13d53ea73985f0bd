import { FlattenError } from '../errors.js';
import { shown } from '../oci/shown.js';

/** What a connection that was cut says, or one that could not be made for now. */
const TRANSIENT = new Set([
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'UND_ERR_SOCKET',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
]);

/** What OpenSSL says of a certificate that nobody vouches for. */
const UNKNOWN_AUTHORITY = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_GET_ISSUER_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
]);

/** The code of an error, or of what is behind it: some connections fail with several errors at once. */
function codeOf(error: unknown): string | undefined {
  const { code, cause, errors } = (error ?? {}) as { code?: unknown; cause?: unknown; errors?: unknown[] };
  if (typeof code === 'string' && code !== '') return code;
  if (cause !== undefined) return codeOf(cause);
  return errors?.[0] === undefined ? undefined : codeOf(errors[0]);
}

/** Whether it makes sense to try again. */
export function isTransient(error: unknown): boolean {
  return TRANSIENT.has(codeOf(error) ?? '');
}

/** Whether a server was reached that has another certificate than one that is trusted. */
export function isOfCertificate(error: unknown): boolean {
  return /CERT|UNABLE_TO_|ERR_TLS_CERT/.test(codeOf(error) ?? '');
}

/** Whether a server does not speak TLS, as far as that can be told. */
function isPlainHttp(error: unknown): boolean {
  return /^ERR_SSL_(WRONG_VERSION|PACKET_LENGTH|HTTP_REQUEST)|^EPROTO$/.test(codeOf(error) ?? '');
}

/** Whether a server may want to know who connects: with TLS 1.3 it says so after the connection is made, and mostly ends it at once. */
function isRefusal({ protocol }: URL, code: string): boolean {
  if (protocol !== 'https:') return false;
  return /^(UND_ERR_SOCKET|ECONNRESET)$|ALERT_(CERTIFICATE_REQUIRED|BAD_CERTIFICATE)$/.test(code);
}

/** The error for a connection that failed for good, with what to do. */
export function brokenConnection(url: URL, cause: unknown): FlattenError {
  const { host } = url;
  const code = codeOf(cause) ?? '';
  const [what, hint] = UNKNOWN_AUTHORITY.has(code)
    ? ([
        'its certificate is signed by an authority that is not known here',
        `put the authority's certificate there: /etc/containers/certs.d/${host}/ca.crt, or ~/.config/containers/certs.d/${host}/ca.crt`,
      ] as const)
    : isRefusal(url, code)
      ? ([
          'ends the connection',
          `if it wants a certificate of its clients, put yours there, with its key: ~/.config/containers/certs.d/${host}/client.cert and client.key`,
        ] as const)
      : isPlainHttp(cause)
        ? ([
            'does not speak https',
            `if plain http is right for this host, say so: {insecure: ${host}}`,
          ] as const)
        : (words(code) ?? [`the connection failed: ${shown((cause as Error)?.message ?? String(cause))}`]);
  return new FlattenError('NETWORK', `${host}: ${what}`, { cause, ...(hint && { hint }) });
}

function words(code: string): readonly [what: string, hint?: string] | undefined {
  switch (code) {
    case 'ENOTFOUND':
      return ['there is no such host', 'look at how the name is written; is there a network?'];
    case 'EAI_AGAIN':
      return ['its address cannot be found out now', 'is there a network?'];
    case 'ENETUNREACH':
    case 'EHOSTUNREACH':
      return ['cannot be reached from here', 'is there a network? HTTPS_PROXY names a proxy'];
    case 'ECONNREFUSED':
      return ['nobody answers there', 'look at the port'];
    case 'CERT_HAS_EXPIRED':
      return [
        'its certificate has expired',
        'look at the clock of this machine, and tell whoever runs the registry',
      ];
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return ['its certificate is for another name', 'use the name that the certificate is for'];
    case 'UND_ERR_CONNECT_TIMEOUT':
      return ['does not answer', 'is there a network? HTTPS_PROXY names a proxy'];
    default:
      return undefined;
  }
}
