import type { Shard } from '../../fleet/shard.js';
import type { DiskFlags } from '../disk-options.js';
import type { ImageFlags } from '../image-options.js';
import type { InputFlags } from '../input-options.js';
import type { OutputFlags } from '../output-options.js';
import type { ProgressFlags } from '../progress.js';
import type { ReportFlags } from '../report.js';

/** The options of `flatten batch`, as commander gives them. */
export interface BatchFlags
  extends InputFlags,
    OutputFlags,
    DiskFlags,
    ImageFlags,
    ReportFlags,
    ProgressFlags {
  readonly output: string;
  readonly jobs?: number;
  readonly timeout?: number;
  readonly shard?: Shard;
  readonly report?: string;
  readonly keepGoing?: boolean;
  readonly failFast?: boolean;
}
