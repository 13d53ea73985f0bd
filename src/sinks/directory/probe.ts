import { closeSync, fstatSync, openSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, splitTime, type Time } from './times.js';

/** What a file has that was just made here: not always the caller's ids, nor every permission asked for. */
export interface Born {
  readonly uid: number;
  readonly gid: number;
  /** The bits of 0777 that creation does not take away. */
  readonly mask: number;
}

/** What the output's file system makes of files and times. */
export interface Host {
  readonly born: Born;
  /** Why a time cannot be kept here, undefined if it can. Absent where all times can. */
  readonly timeProblem?: (time: Time) => string | undefined;
}

/** Finds out with a scratch file in `directory`. The times that matter lie between `earliest` and `latest`. */
export function probe(directory: string, [earliest, latest]: readonly [Time, Time], clock: Clock): Host {
  const path = join(directory, 'probe');
  const fd = openSync(path, 'wx', 0o777);
  try {
    const { uid, gid, mode } = fstatSync(fd);
    const kept = (seconds: number, nanos: number): Time => {
      clock.setOpen(fd, seconds, nanos);
      return splitTime(fstatSync(fd, { bigint: true }).mtimeNs);
    };
    const first = kept(earliest.seconds, 0).seconds;
    const last = kept(latest.seconds, 0).seconds;
    const step = stepOf(kept(1e9, ODD_NANOS).nanos);
    const born = { uid, gid, mask: mode & 0o777 };
    if (first === earliest.seconds && last === latest.seconds && step === 1) return { born };
    const timeProblem = ({ seconds, nanos }: Time): string | undefined => {
      if (seconds < first || seconds > last) return 'the file system holds no such time';
      if (nanos % Math.max(step, clock.step(seconds)) !== 0) {
        return 'the file system, or flatten without koffi, keeps less than its nanoseconds';
      }
      return undefined;
    };
    return { born, timeProblem };
  } finally {
    closeSync(fd);
    unlinkSync(path);
  }
}

const ODD_NANOS = 123_456_789;

/** What nanoseconds are cut to a multiple of, if {@link ODD_NANOS} came back as `kept`. */
function stepOf(kept: number): number {
  for (let step = 1; step < 1e9; step *= 10) if (ODD_NANOS - (ODD_NANOS % step) === kept) return step;
  return 1e9;
}
