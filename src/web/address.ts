import { FlattenError } from '../errors.js';
import { type Digest, isDigest } from '../oci/digest.js';

/** The address of a file on the web. */
export interface WebAddress {
  /** For messages: without user, password, query and fragment, any of which may hold a secret. */
  readonly shown: string;
  readonly url: URL;
  /** What the file's digest must be. */
  readonly digest?: Digest;
}

/** Reads `https://HOST/PATH[#sha256:DIGEST]`; http is for this machine only. Throws `USAGE`. */
export function parseWebAddress(text: string): WebAddress {
  let url: URL;
  try {
    url = new URL(text);
  } catch (cause) {
    const shown = text.replace(/[?#].*$/s, '').replace(/\/\/[^/]*@/, '//');
    throw new FlattenError('USAGE', `${shown}: is no address`, { cause });
  }
  const shown = showUrl(url);
  const fragment = url.hash.slice(1);
  url.hash = '';
  if (fragment !== '' && !isDigest(fragment))
    throw new FlattenError('USAGE', `${shown}: what stands behind # is not a digest`, {
      hint: 'a digest is sha256: and 64 digits, as sha256sum prints them',
    });
  if (url.protocol === 'http:' && !isLoopbackName(url.hostname))
    throw new FlattenError('USAGE', `${shown}: is read by https only`, {
      hint: `${shown.replace(/^http:/, 'https:')}, or download it yourself: curl -fLO ${shown}`,
    });
  return { shown, url, ...(isDigest(fragment) && { digest: fragment }) };
}

/** An address as messages may show it. */
export function showUrl({ protocol, host, pathname }: URL): string {
  return `${protocol}//${host}${pathname}`;
}

/** Whether a host's name can mean this machine alone. Source: RFC 6761, 6.3. */
export function isLoopbackName(hostname: string): boolean {
  return /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}
