/** The face of this room: the rest of `flatten` imports nothing else of it. */
export { type ExtOptions, type ExtPlan, planExt } from './plan.js';
export { planLines } from './plan-lines.js';
export { readExt } from './read.js';
export type { Share } from './size-options.js';
export type { ExtFormat } from './structures/features.js';
export { checkExtTools, findExtTools } from './tool.js';
export { writeExt } from './write.js';
