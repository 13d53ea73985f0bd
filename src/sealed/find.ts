import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { FlattenError, ioError } from '../errors.js';
import { verityFile } from '../sinks/verity-names.js';
import {
  type Description,
  hashBlocks,
  isSuperblock,
  MAX_DESCRIPTION,
  parseDescription,
  parseSuperblock,
  superblockOf,
  VERITY_BLOCK,
  type VeritySuperblock,
} from '../verity/verity.js';
import type { Fault } from './fault.js';
import { blockAt, endOfFileSystem, sizeOf } from './files.js';

/** What is said of an image's hash tree. */
export interface SealOptions {
  /** The file that has the tree; `true`: there must be a tree. Default: what the description beside the image says, else what is behind the file system. */
  readonly verity?: true | string;
  /** The root hash that is trusted, hexadecimal. Default: that of the description. */
  readonly rootHash?: string;
}

/** The hash tree of an image, as far as it is known before anything is hashed. */
export interface Seal {
  readonly image: string;
  /** The file that has the tree, which may be the image. */
  readonly tree: string;
  readonly hashOffset: number;
  readonly superblock: VeritySuperblock;
  readonly description?: Description;
  readonly rootHash?: string;
  /** Who has said what the root hash is. */
  readonly trust: 'caller' | 'description' | 'nobody';
  /** Whether the files have all that is hashed, and all of the tree. */
  readonly isWhole: boolean;
  readonly faults: readonly Fault[];
}

/**
 * Finds an image's hash tree; undefined where there is none and none is asked for. Throws `USAGE` for a root hash that is none, `NOT_FOUND`
 * for a tree that is asked for and not there, `BAD_IMAGE` and `UNSUPPORTED` for a description or a superblock that cannot be read, `IO`.
 */
export function findSeal(image: string, { verity, rootHash }: SealOptions): Seal | undefined {
  if (rootHash !== undefined && !/^[0-9a-f]{64}$/i.test(rootHash))
    throw new FlattenError(
      'USAGE',
      `{rootHash: ${rootHash}}: is no root hash, which has 64 hexadecimal digits`,
    );
  const description = readDescription(verityFile(image));
  const tree = treeOf(image, verity, description);
  const end = endOfFileSystem(image);
  const hashOffset = tree !== image ? 0 : (description?.hashOffset ?? end);
  const block = blockAt(tree, hashOffset);
  if (description === undefined && !(block && isSuperblock(block))) {
    if (verity === undefined && rootHash === undefined) return undefined;
    throw new FlattenError('NOT_FOUND', `${tree}: has no hash tree`, {
      hint: 'name the file that has it: {verity: FILE}',
    });
  }
  const superblock = description ? superblockIn(description) : located(tree, () => parseSuperblock(block!));
  const own = rootHash?.toLowerCase() ?? description?.rootHash;
  const found = {
    image,
    tree,
    hashOffset,
    superblock,
    trust: rootHash !== undefined ? 'caller' : description ? 'description' : 'nobody',
    ...(own !== undefined && { rootHash: own }),
    ...(description && { description }),
  } as const;
  const missing = missingIn(found, end);
  const faults = [...missing, ...(description ? faultsOfOurs(found, description, block) : [])];
  return { ...found, isWhole: missing.length === 0, faults };
}

function treeOf(image: string, verity: SealOptions['verity'], description: Description | undefined): string {
  if (typeof verity === 'string') return verity;
  return description?.hashFile === undefined ? image : join(dirname(image), description.hashFile);
}

function superblockIn({ uuid, dataBlocks, salt }: Description): VeritySuperblock {
  return { uuid, dataBlocks, salt: Buffer.from(salt, 'hex') };
}

function readDescription(path: string): Description | undefined {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return undefined;
  return located(path, () => {
    if (statSync(path).size > MAX_DESCRIPTION)
      throw new FlattenError('BAD_IMAGE', 'is too large for a description');
    return parseDescription(readFileSync(path, 'utf8'));
  });
}

type Found = Omit<Seal, 'faults' | 'isWhole'>;

/** Where data and tree end. */
function endsOf({ hashOffset, superblock: { dataBlocks } }: Found): { data: number; hashed: number } {
  return { data: dataBlocks * VERITY_BLOCK, hashed: hashOffset + hashBlocks(dataBlocks) * VERITY_BLOCK };
}

/** What stands in the way of hashing: at most one fault. */
function missingIn(found: Found, end: number): Fault[] {
  const { image, tree, hashOffset } = found;
  const { data, hashed } = endsOf(found);
  const fault = (what: string): Fault[] => [{ kind: 'size', what }];
  if (end > data) return fault(`the file system has ${end} bytes, and ${data} of them were hashed`);
  if (sizeOf(image) < data) return fault(`the image has ${sizeOf(image)} bytes, and ${data} were hashed`);
  if (tree === image && hashOffset < data) return fault('the hash tree begins within what was hashed');
  if (sizeOf(tree) < hashed)
    return fault(`${tree} ends at byte ${sizeOf(tree)}, and its hash tree at ${hashed}`);
  return [];
}

/** What a description says is just what is there: nothing else, and nothing more. */
function faultsOfOurs(found: Found, description: Description, block: Buffer | undefined): Fault[] {
  const { image, tree, hashOffset, superblock, rootHash } = found;
  const { data, hashed } = endsOf(found);
  const faults: Fault[] = [];
  if (description.rootHash !== rootHash)
    faults.push({
      kind: 'description',
      what: `the description says another root hash, ${description.rootHash}`,
    });
  if (block !== undefined && !block.equals(superblockOf(superblock)))
    faults.push({
      kind: 'superblock',
      what: 'the superblock of the hash tree is not what the description says',
    });
  const unhashed = tree === image ? hashOffset - data : sizeOf(image) - data;
  if (unhashed > 0)
    faults.push({ kind: 'size', what: `bytes of the image that were not hashed: ${unhashed}` });
  const behind = sizeOf(tree) - hashed;
  if (behind > 0) faults.push({ kind: 'size', what: `bytes behind the hash tree: ${behind}` });
  return faults;
}

function located<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof FlattenError)) throw ioError(error, path);
    const { code, what, hint, cause } = error;
    throw new FlattenError(code, `${path}: ${what}`, { ...(hint && { hint }), cause });
  }
}
