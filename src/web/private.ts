import { lookup as find, type LookupAddress, type LookupOptions } from 'node:dns';
import { bare, privacyOf } from '../host/private-address.js';
import { isLoopbackName } from './address.js';

/** Whether an IP address is not on the public internet: this machine, its networks, what clouds tell their machines. */
export function isPrivateIp(address: string): boolean {
  return privacyOf(address) !== undefined;
}

/** Whether a host is private, as far as its name says. */
export function isPrivateName(hostname: string): boolean {
  return isLoopbackName(hostname) || isPrivateIp(bare(hostname));
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
