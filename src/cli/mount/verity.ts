import { randomBytes } from 'node:crypto';
import { FlattenError } from '../../errors.js';
import type { Seal, SealOptions } from '../../sealed/find.js';
import { system } from './system.js';

/** Where the device mapper's devices are, and how the names of ours begin. */
const DEVICES = '/dev/mapper/';
const OURS = 'flatten-';

/** What the command line says of a hash tree; `false`: the disk is mounted without it. */
export type VerityFlags = Omit<SealOptions, 'verity'> & { readonly verity?: SealOptions['verity'] | false };

/**
 * The hash tree that a disk is to be mounted with; undefined for none: nobody asks for one, and no `DISK.verity.json` says that there is one. Throws
 * `USAGE` where nobody says what its root hash is, `BAD_IMAGE` where it does not fit the disk.
 */
export async function sealFor(image: string, { verity, rootHash }: VerityFlags): Promise<Seal | undefined> {
  if (verity === false) return undefined;
  const { findSeal } = await import('../../sealed/find.js');
  const isAsked = verity !== undefined || rootHash !== undefined;
  const seal = findSeal(image, { ...(verity && { verity }), ...(rootHash !== undefined && { rootHash }) });
  if (seal === undefined || (seal.trust === 'nobody' && !isAsked)) return undefined;
  if (seal.rootHash === undefined)
    throw new FlattenError('USAGE', `${image}: nobody says which root hash it should have`, {
      hint: 'give the one that you trust: {rootHash: HEX}',
    });
  const [fault] = seal.faults;
  if (fault === undefined) return seal;
  throw new FlattenError('BAD_IMAGE', `${image}: ${fault.what}`, { hint: `flatten verify ${image}` });
}

/** Opens a disk by `veritysetup`, under a name of its own; gives the device, to be closed by {@link closeVerity}. */
export async function openVerity(
  { image, tree, hashOffset, rootHash }: Seal,
  signal: AbortSignal,
): Promise<string> {
  const name = `${OURS}${randomBytes(8).toString('hex')}`;
  const args = ['open', image, name, tree, rootHash!, `--hash-offset=${hashOffset}`];
  await system('veritysetup', args, signal, explain);
  return `${DEVICES}${name}`;
}

/** Whether a device is one that {@link openVerity} has opened. */
export function isVerityDevice(device: string): boolean {
  return device.startsWith(`${DEVICES}${OURS}`);
}

export async function closeVerity(device: string, signal: AbortSignal): Promise<void> {
  await system('veritysetup', ['close', device.slice(DEVICES.length)], signal);
}

function explain(said: string): FlattenError | undefined {
  const without = 'or mount the disk without its hash tree: {verity: false}';
  if (/spawn veritysetup ENOENT/.test(said))
    return new FlattenError('TOOL', 'veritysetup: is not installed', {
      hint: `apt install cryptsetup-bin, dnf install veritysetup, apk add cryptsetup; ${without}`,
    });
  if (!/device-mapper|dm_mod|dm-verity/.test(said)) return undefined;
  return new FlattenError('TOOL', `the system has no dm-verity: ${said.split('\n')[0]}`, {
    hint: `modprobe dm-verity, ${without}`,
  });
}
