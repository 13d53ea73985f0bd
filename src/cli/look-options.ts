import type { Command } from 'commander';
import { addImageChoice, type InputFlags } from './input-options.js';
import { addProgressOption, type ProgressFlags } from './progress.js';
import { addReportOptions, type ReportFlags } from './report.js';

/** What every command that looks inside an image can be told, as commander gives it. */
export type LookFlags = Omit<InputFlags, 'include' | 'exclude' | 'mkdir' | 'add' | 'sourceDateEpoch'> &
  ReportFlags &
  ProgressFlags & {
    readonly layer?: string;
  };

/** The options of `flatten ls`. */
export interface ListFlags extends LookFlags {
  readonly recursive?: boolean;
  readonly directory?: boolean;
  readonly layers?: boolean;
  readonly mtree?: boolean;
}

/** The options of `flatten inspect`. */
export interface InspectFlags extends LookFlags {
  readonly content?: boolean;
  readonly worst: number;
  readonly failIf?: readonly string[];
  readonly output?: string;
  readonly force?: boolean;
}

/** Adds the options of every command that looks inside an image. */
export function addLookOptions(command: Command): Command {
  addImageChoice(command).option(
    '--layer <number|digest>',
    'Show the state after this layer, counted from 1, the base',
  );
  return addProgressOption(addReportOptions(command));
}

/** The argument of every such command. */
export const IMAGE = [
  '<image>',
  'An archive, a layout, a root filesystem, docker://NAME[:TAG], docker-daemon:NAME[:TAG]',
] as const;
