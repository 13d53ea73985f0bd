/** The face of this room: the rest of `flatten` imports nothing else of it. */
export { checkTree, type WrongBlock } from './check.js';
export { type Description, descriptionText, MAX_DESCRIPTION, parseDescription } from './description.js';
export { hashBlocks, VERITY_BLOCK } from './levels.js';
export { type DmVerity, sealImage } from './seal.js';
export { isSuperblock, parseSuperblock, superblockOf, type VeritySuperblock } from './superblock.js';
