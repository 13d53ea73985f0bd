/**
 * The library: an image is opened, its layers become one tree, and a sink writes the tree. `flatten` does all three, as the command does.
 */
export type { ConfigOut } from './config-out.js';
export {
  type Context,
  DEFAULT_LIMITS,
  type Limits,
  type Phase,
  type RunEvent,
  type WarningCode,
} from './context.js';
export type { DiskPlan, PlannedFormat } from './disk-plan.js';
export { type ErrorCode, type ErrorDetails, FlattenError, type OptionName } from './errors.js';
export { flatten } from './flatten.js';
export { flattenBatch } from './fleet/batch.js';
export type { BatchItem, ItemOptions, Listed } from './fleet/item.js';
export { parseList } from './fleet/list.js';
export type { BatchEvent, BatchOptions, BatchResult } from './fleet/result.js';
export { parseShard, type Shard } from './fleet/shard.js';
export {
  type Image,
  type ImageTreeOptions,
  imageOf,
  type OpenImageOptions,
  type OwnImage,
  openImage,
  type RunOptions,
} from './image.js';
export type { InputOptions } from './input.js';
export type { Carried, Lost } from './inspect/carried.js';
export type { ConfigChange } from './inspect/diff/config.js';
export {
  type DiffSide,
  type DiffTreesOptions,
  diffTrees,
  type Ignorable,
  type TreeChange,
  type TreeDiff,
} from './inspect/diff/trees.js';
export { type Explanation, explain, type Step, type Way } from './inspect/explain.js';
export type { Hidden, Why } from './inspect/hidden.js';
export type { History, HistoryOptions, LayerFacts } from './inspect/history.js';
export { type Inspection, type InspectOptions, inspect } from './inspect/inspect.js';
export { type ListedName, type ListOptions, list } from './inspect/list.js';
export { type ReportFormat, reportText } from './inspect/report.js';
export type { Act, Touch } from './inspect/touch.js';
export { type ContentLayer, contentLayer } from './layer/content-layer.js';
export type { Layer, LayerEntry, OpenLayer } from './layer/layer.js';
export type { Loss } from './losses.js';
export type { ImageConfig } from './oci/config.js';
export type { Digest } from './oci/digest.js';
export type { Platform } from './oci/platform.js';
export type { FlattenOptions, FlattenResult } from './options.js';
export {
  type AnyOutputOptions,
  type CpioOutputOptions,
  cpio,
  type DirectoryOutputOptions,
  type DiskOutputOptions,
  directory,
  disk,
  type ImageOutputOptions,
  image,
  type TarOutputOptions,
  tar,
} from './outputs.js';
export { planDisk } from './plan.js';
export type { Aspect } from './rootfs/compare.js';
export type { Difference, DifferenceKind } from './rootfs/difference.js';
export type { DifferenceCounts } from './rootfs/difference-counts.js';
export type { Content, Directory, Metadata, Node, Rootfs } from './rootfs/node.js';
export type { SealCheck } from './sealed/check.js';
export type { Fault } from './sealed/fault.js';
export type { SealOptions } from './sealed/find.js';
export { FORMATS, type Format } from './sinks/format.js';
export type { DiskOptions } from './sinks/open.js';
export type { Artifact } from './sinks/sink.js';
export type { ImageOptions } from './squash.js';
export { Entry, Tree, type TreeSink as Sink } from './tree.js';
export { type VerifyOptions, type VerifyResult, verify } from './verify.js';
