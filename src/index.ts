/**
 * The library: `flatten` does what the command does; `openImage` and `loadTree` are its two halves, for those who want
 * the image's config or the merged tree itself.
 */
export { type Context, DEFAULT_LIMITS, type Event, type Limits } from './context.js';
export { type ErrorCode, type ErrorDetails, FlattenError } from './errors.js';
export { type FlattenOptions, type FlattenResult, flatten } from './flatten.js';
export type { InputOptions } from './input.js';
export type { Layer } from './layer/layer.js';
export type { ImageConfig } from './oci/config.js';
export type { Digest } from './oci/digest.js';
export type { Platform } from './oci/platform.js';
export { type DiskPlan, planDisk } from './plan.js';
export type { Difference, DifferenceKind } from './rootfs/compare.js';
export type * from './rootfs/node.js';
export { type Visit, walk } from './rootfs/walk.js';
export { FORMATS, type Format } from './sinks/format.js';
export type { DiskOptions } from './sinks/open.js';
export type { Artifact, Loss } from './sinks/sink.js';
export type { Choice, Image } from './sources/image.js';
export { openImage } from './sources/open.js';
export type { SquashOptions } from './squash.js';
export { type LoadedTree, loadTree, type TreeOptions } from './tree.js';
export { type DifferenceCounts, type VerifyOptions, type VerifyResult, verify } from './verify.js';
