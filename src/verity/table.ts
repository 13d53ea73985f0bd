import type { DmVerity } from './seal.js';

const SECTOR = 512;

/** The kernel's line for `dmsetup create`; `DATA` and `HASH` stand for the devices with the image and the tree, which may be one. */
export function tableLine(verity: DmVerity): string {
  const { dataBlocks, dataBlockSize, hashBlockSize, hashOffset, algorithm, rootHash, salt, hashType } =
    verity;
  const sectors = (dataBlocks * dataBlockSize) / SECTOR;
  const firstHash = hashOffset / hashBlockSize + 1; // behind the superblock
  const sizes = `${dataBlockSize} ${hashBlockSize} ${dataBlocks} ${firstHash}`;
  return `0 ${sectors} verity ${hashType} DATA HASH ${sizes} ${algorithm} ${rootHash} ${salt}`;
}
