import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { addBatch } from './batch.js';
import { addCache } from './cache.js';
import { addCat } from './cat.js';
import { addCompletion } from './completion.js';
import { addConvert } from './convert.js';
import { addDiff } from './diff.js';
import { EXIT } from './exit.js';
import { addExplain } from './explain.js';
import { addHelp } from './help.js';
import { addImport } from './import.js';
import { addInspect } from './inspect.js';
import { addList } from './ls.js';
import { addMount } from './mount.js';
import { type ReportFlags, reportFailure } from './report.js';
import { refuseIdleOptions } from './strict.js';
import { explainUsage } from './usage.js';
import { addVerify } from './verify.js';

/** Command lines, and what they do. */
export const EXAMPLES = `  flatten image.tar -o rootfs/         write the merged filesystem as a directory
  flatten image.tar -o rootfs.tar      write it as a flat tar
  flatten image.tar -o disk.img        write it as an ext3 disk image
  flatten image.tar -o docker-archive:flat.tar:app:1.0
                                       write it as an image of one layer
  flatten layout/ --platform linux/arm64 -o rootfs.tar.zst
                                       read an OCI layout
  docker save alpine | flatten - -o - | tar -tvf -
                                       read standard input, write standard output
  flatten batch images.txt -o 'disks/{name}-{tag}.ext4'
                                       convert the images of a list
  sudo flatten image.tar -o rootfs/ --force
                                       replace what is there
`;

/**
 * Parses a command line and runs it; gives the exit code. Nothing is printed to standard output but artifacts and
 * \`--json\`.
 */
export async function run(argv: readonly string[], signal: AbortSignal): Promise<number> {
  if (process.env.SOURCE_DATE_EPOCH === '') delete process.env.SOURCE_DATE_EPOCH; // set to nothing: not set
  const program = commandLine(signal);
  let flags = flagsIn(argv);
  program.hook('preAction', (_, command) => {
    flags = command.opts();
  });
  try {
    await program.parseAsync(withoutValues(argv));
    return Number(process.exitCode ?? EXIT.done);
  } catch (error) {
    if (error instanceof CommanderError) return EXIT.done; // help, or the version
    return reportFailure(error, flags, signal);
  }
}

/** All commands and options, ready to be parsed, or to be written down: help, completion and the man page come from it. */
export function commandLine(signal: AbortSignal): Command {
  const program = new Command('flatten')
    .addHelpText('before', `Turn a container image into a filesystem.\n\nExamples:\n${EXAMPLES}`)
    .enablePositionalOptions();
  addConvert(program, signal);
  addImport(program, signal);
  addVerify(program, signal);
  addDiff(program, signal);
  addMount(program, signal);
  addList(program, signal);
  addCat(program, signal);
  addExplain(program, signal);
  addInspect(program, signal);
  addBatch(program, signal);
  addCache(program);
  addCompletion(program);
  program.optionsGroup('Messages:').version(version(), '-V, --version', 'Print the version');
  addHelp(program);
  for (const command of [program, ...program.commands]) explainUsage(command);
  refuseIdleOptions(program);
  return program;
}

/** How to report, as far as a command line says that is not understood. */
function flagsIn(argv: readonly string[]): ReportFlags {
  const end = argv.indexOf('--');
  const words = end < 0 ? argv : argv.slice(0, end);
  return {
    json: words.includes('--json'),
    verbose: words.includes('-v') || words.includes('--verbose'),
  };
}

function version(): string {
  const file = new URL('../../../package.json', import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')).version;
}

/** Options whose value comes after `=` only: the word behind them is an operand. */
const AFTER_EQUALS: ReadonlySet<string> = new Set(['--verity', '--add-init']);

function withoutValues(argv: readonly string[]): string[] {
  const end = argv.indexOf('--');
  const isBare = (word: string, at: number) => AFTER_EQUALS.has(word) && (end === -1 || at < end);
  return argv.map((word, at) => (isBare(word, at) ? `${word}=` : word));
}
