import { basename } from 'node:path';
import type { Context } from '../context.js';
import { diskKind, openDisk } from '../disk-tree.js';
import { verityFile } from '../sinks/verity-names.js';
import { checkSeal, type SealCheck } from './check.js';
import { findSeal, type Seal, type SealOptions } from './find.js';
import { ownersOf } from './owners.js';

/** What is known of a disk image with a hash tree. */
export interface Examined {
  readonly seal: SealCheck;
  /** 0 where the names cannot be read: those of squashfs, and where blocks are wrong. */
  readonly entries: number;
}

/** Wrong blocks whose files are looked for: for each all files are gone through. */
const MAX_OWNED = 100;

/**
 * Compares a disk image with its hash tree, names the files that wrong blocks belong to, and reads all names; undefined where there is no
 * hash tree. Throws as `findSeal` and `checkSeal`, and `BAD_IMAGE` where no block is wrong and the names cannot be read.
 */
export async function examine(
  image: string,
  options: SealOptions,
  limit: number,
  context: Pick<Context, 'report' | 'signal'>,
): Promise<Examined | undefined> {
  const seal = findSeal(image, options);
  if (seal === undefined) return undefined;
  warn(seal, context);
  const checked = await checkSeal(seal, limit, context);
  const kind = diskKind(image);
  if (kind === undefined || kind === 'squashfs') return { seal: checked, entries: 0 };
  const opened = await openDisk(image, kind).catch((error) => {
    if (checked.count === 0) throw error;
  });
  if (opened === undefined) return { seal: checked, entries: 0 };
  const { rootfs, close } = opened;
  try {
    const wrong = checked.faults.filter(({ kind }) => kind === 'data').map(({ offset }) => offset!);
    const owners = ownersOf(rootfs, wrong.slice(0, MAX_OWNED));
    const faults = checked.faults.map((fault) => {
      const path = fault.kind === 'data' ? owners.get(fault.offset!) : undefined;
      return path === undefined ? fault : { ...fault, path };
    });
    return { seal: { ...checked, faults }, entries: rootfs.entries };
  } finally {
    await close();
  }
}

function warn({ image, description, trust }: Seal, { report }: Pick<Context, 'report'>): void {
  const say = (message: string) => report({ type: 'warning', code: 'VERITY_TRUST', message });
  if (trust === 'nobody')
    say(
      `${image}: nobody says which root hash it should have; who changes the image can make another tree: {rootHash: HEX}`,
    );
  const name = basename(image);
  if (description === undefined || description.image.replace(/\.(gz|zst)$/, '') === name) return;
  say(`${verityFile(image)}: was written for ${JSON.stringify(description.image)}`);
}
