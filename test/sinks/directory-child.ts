import { DEFAULT_LIMITS } from '../../src/context.js';
import { FlattenError } from '../../src/errors.js';
import { libc } from '../../src/host/libc.js';
import { writeDirectory } from '../../src/sinks/directory.js';
import { everyKind } from './directory-specimen.js';

/** What a child is to do: write {@link everyKind} to `output`, as another user, without koffi, or never coming to an end. */
export interface Errand {
  readonly scratch: string;
  readonly output: string;
  readonly uid?: number;
  readonly strict?: boolean;
  readonly keepSetuid?: boolean;
  readonly withoutLibc?: boolean;
  readonly forever?: boolean;
}

const errand = JSON.parse(process.argv[2]!) as Errand;
const { scratch, output, uid, strict = false, withoutLibc = false, forever = false } = errand;
const { keepSetuid = false } = errand;
const rootfs = everyKind({ after: () => {} }, scratch, withoutLibc ? { step: 1_000_000_000n } : {});
const machine = { libc: withoutLibc ? undefined : libc(), cores: 1 };
if (uid !== undefined) {
  process.setgroups?.([]);
  process.setgid?.(uid);
  process.setuid?.(uid);
}
const { signal } = new AbortController();
const verified = forever ? new Promise<void>(() => {}) : Promise.resolve();
if (forever) setInterval(() => {}, 1000);
try {
  const context = { signal, tmp: scratch, limits: DEFAULT_LIMITS, digests: true, report: () => {} };
  const options = { force: false, strict, keepSetuid };
  const artifact = await writeDirectory(output, options, { rootfs, verified }, context, machine);
  console.log(JSON.stringify(artifact));
} catch (error) {
  if (!(error instanceof FlattenError)) throw error;
  console.log(JSON.stringify({ code: error.code, message: error.message }));
}
