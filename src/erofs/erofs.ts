/** The face of this room: the rest of `flatten` imports nothing else of it. */
export { type ErofsOptions, type ErofsPlan, planErofs } from './plan.js';
export { planLines } from './plan-lines.js';
export { readErofs } from './read.js';
export { writeErofs } from './write.js';
