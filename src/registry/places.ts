import { FlattenError } from '../errors.js';
import {
  formatRegistryReference,
  parseRegistryReference,
  type RegistryReference,
} from '../oci/registry-reference.js';
import type { Endpoint, RegistryRule } from './registry-rule.js';

/** Where an image is really asked for. */
export interface Place {
  readonly reference: RegistryReference;
  /** It may speak plain http, and have any certificate. */
  readonly isInsecure: boolean;
}

/**
 * The places to ask for an image, in order: the mirrors of the rule that has the longest prefix, then its location. Without a rule, what the
 * name says. Throws `DENIED` for what is blocked.
 */
export function placesFor(reference: RegistryReference, rules: readonly RegistryRule[]): readonly Place[] {
  const name = `${reference.host}/${reference.repository}`; // other tools leave tags and digests out too
  let found: { readonly rule: RegistryRule; readonly length: number } | undefined;
  for (const rule of rules) {
    const length = matched(name, rule.prefix);
    if (length !== undefined && rule.prefix.length > (found?.rule.prefix.length ?? 0))
      found = { rule, length };
  }
  if (found === undefined) return [{ reference, isInsecure: false }];
  const { rule, length } = found;
  if (rule.isBlocked)
    throw new FlattenError('DENIED', `${name}: is blocked`, { hint: `${rule.from} blocks ${rule.prefix}` });
  const unwanted = reference.digest === undefined ? 'digest-only' : 'tag-only';
  const mirrors = rule.mirrors.filter(({ pulls }) => pulls !== unwanted);
  return [...mirrors, rule].map((endpoint) => ({
    reference: placed(reference, length, endpoint, rule.from),
    isInsecure: endpoint.isInsecure,
  }));
}

/** How much of a name a prefix stands for; undefined where the name does not begin with it. */
function matched(name: string, prefix: string): number | undefined {
  const end = prefix.startsWith('*.') ? endOfDomain(name, prefix.slice(1)) : prefix.length;
  const begins = prefix.startsWith('*.') || name.startsWith(prefix);
  return begins && end !== undefined && /^([:/]|$)/.test(name.slice(end)) ? end : undefined;
}

/** Where the domain of a host ends that is below `.example.com`; undefined for another host. */
function endOfDomain(name: string, domain: string): number | undefined {
  const [host = ''] = name.split('/');
  const bare = host.replace(/:\d+$/, '');
  return bare.endsWith(domain) ? bare.length : undefined;
}

function placed(
  reference: RegistryReference,
  length: number,
  { location }: Endpoint,
  from: string,
): RegistryReference {
  if (location === undefined) return reference;
  const name = formatRegistryReference(reference);
  const text = `${location}${name.slice(length)}`;
  try {
    return parseRegistryReference(text);
  } catch (cause) {
    throw new FlattenError('USAGE', `${from}: makes ${text} of ${name}, which is no image of a registry`, {
      cause,
    });
  }
}
