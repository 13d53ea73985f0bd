import { lookup as find, type LookupAddress, type LookupOptions } from 'node:dns';
import { BlockList, isIP } from 'node:net';
import { isLoopbackName } from './address.js';

/** Addresses that are not on the public internet. Source: the special-purpose registries of IANA, RFC 6890. */
const PRIVATE = new BlockList();
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const)
  PRIVATE.addSubnet(network, bits, 'ipv4');
for (const [network, bits] of [
  ['::', 127],
  ['64:ff9b::', 96],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const)
  PRIVATE.addSubnet(network, bits, 'ipv6');

/** Whether an IP address is not on the public internet: this machine, its networks, what clouds tell their machines. */
export function isPrivateIp(address: string): boolean {
  const version = isIP(address);
  return version !== 0 && PRIVATE.check(address, version === 4 ? 'ipv4' : 'ipv6');
}

/** Whether a host is private, as far as its name says. */
export function isPrivateName(hostname: string): boolean {
  return isLoopbackName(hostname) || isPrivateIp(hostname.replace(/^\[|\]$/g, ''));
}

/** Whether any address of a host is private; a host that is not found has none. */
export async function isPrivateHost(hostname: string): Promise<boolean> {
  if (isPrivateName(hostname)) return true;
  const found = await new Promise<LookupAddress[]>((resolve) =>
    find(hostname, { all: true }, (error, addresses) => resolve(error ? [] : addresses)),
  );
  return found.some(({ address }) => isPrivateIp(address));
}

type Found = (
  error: NodeJS.ErrnoException | null,
  address: string | LookupAddress[],
  family?: number,
) => void;

/** A look-up for connections that finds no private address, at the moment of connecting: names may change what they mean. */
export function publicLookup(hostname: string, options: LookupOptions, found: Found): void {
  find(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return found(error, []);
    const [first] = addresses;
    if (first === undefined || addresses.some(({ address }) => isPrivateIp(address))) {
      const refused = new Error(`${hostname} leads to a private address`);
      return found(Object.assign(refused, { code: 'EPRIVATE' }), []);
    }
    return options.all ? found(null, addresses) : found(null, first.address, first.family);
  });
}
