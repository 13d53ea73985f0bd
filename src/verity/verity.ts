/** The face of this room: the rest of `flatten` imports nothing else of it. */
export { hashBlocks, VERITY_BLOCK } from './levels.js';
export { type DmVerity, sealImage } from './seal.js';
export { tableLine } from './table.js';
