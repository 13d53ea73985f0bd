import { BlockList, isIP } from 'node:net';

/** Addresses that mean another machine, or nothing, to each who uses them; `loopback` is the machine itself. */
export type Privacy = 'loopback' | 'link-local' | 'private';

const KINDS: readonly (readonly [Privacy, readonly (readonly [string, number])[]])[] = [
  [
    'loopback',
    [
      ['127.0.0.0', 8],
      ['0.0.0.0', 8],
      ['::1', 128],
      ['::', 128],
    ],
  ],
  [
    'link-local', // clouds tell machines their secrets at 169.254.169.254
    [
      ['169.254.0.0', 16],
      ['fe80::', 10],
    ],
  ],
  [
    'private', // RFC 1918, RFC 6598, RFC 4193, RFC 6890, RFC 2544; and what may stand for an address of these (RFC 6052), or for many
    [
      ['10.0.0.0', 8],
      ['172.16.0.0', 12],
      ['192.0.0.0', 24],
      ['192.168.0.0', 16],
      ['198.18.0.0', 15],
      ['100.64.0.0', 10],
      ['224.0.0.0', 3],
      ['fc00::', 7],
      ['ff00::', 8],
      ['64:ff9b::', 96],
    ],
  ],
];

const LISTS = KINDS.map(([privacy, ranges]) => {
  const list = new BlockList();
  for (const [address, bits] of ranges) list.addSubnet(address, bits, isIP(address) === 6 ? 'ipv6' : 'ipv4');
  return [privacy, list] as const;
});

/** What kind of private address this is; undefined for a public one, and for what is no address. */
export function privacyOf(address: string): Privacy | undefined {
  const version = isIP(address);
  if (version === 0) return undefined;
  return LISTS.find(([, list]) => list.check(address, version === 6 ? 'ipv6' : 'ipv4'))?.[0];
}

/** Whether a URL's host is this machine by its very name (RFC 6761), or by its address. */
export function isLoopback(hostname: string): boolean {
  return /^(.+\.)?localhost\.?$/i.test(hostname) || privacyOf(bare(hostname)) === 'loopback';
}

/** A URL's host without the brackets of an IPv6 address. */
export function bare(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}
