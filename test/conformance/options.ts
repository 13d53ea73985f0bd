import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { PROJECT } from '../support/project.js';
import { FIELDS, type Field } from './compare.js';
import { FORMS, type Form } from './forms.js';

export const HELP = `Runs the cases of test/cases through any tool that turns an image into a file system.

Usage: scripts/conformance --run 'TOOL {image} {rootfs}' [options]
       scripts/conformance --scoreboard [--tool NAME] [--to FILE]
       scripts/conformance --export DIR

  --run COMMAND    a shell line, run once for each case in an empty directory. In it:
                     {image}      the image: a path, or with --registry a reference
                     {rootfs}     where its tree must come to be; nothing is there yet
                     {bundle}     the directory around it, for tools that write BUNDLE/rootfs and files beside it
                     {reference}  the name that a docker-archive gives the image
  --after COMMAND  a shell line that tidies up once the tree was read: 'umount {rootfs}'
  --as FORMS       how the image is stored: oci (a layout; the tag is "latest"), oci-archive, docker-archive (oci)
  --output FORM    what {rootfs} becomes: dir, tar or mtree (dir)
  --registry HOST  push each image to a registry that answers without a password, and give the reference
  --ignore LIST    do not compare these: ${FIELDS.join(', ')};
                   without root a tool can make no devices and give nothing away: --ignore owner,device,xattr
  --strict         compare what nothing decides, too: the time of directories that no layer describes, with 0,
                   and mode and owner of such a root, with 0755 and 0:0
  --only NAME      only cases that have this in their name (may be repeated)
  --timeout N      seconds that a run may take; then it is ended, and has failed (60)
  --jobs N         runs at a time (one a core, four at most)
  --junit FILE     write the results as JUnit's XML
  --json FILE      write the results as JSON
  --list           print the names of the cases
  --scoreboard     run them through every tool that this machine has, and write test/cases/SCOREBOARD.md
  --tool NAME      only tools that have this in their name (may be repeated)
  --to FILE        write the scoreboard there
  --export DIR     write the suite to a new directory, for those who run it without this project: images, trees, an
                   index, a README, and a script in Python that runs it

Standard output has the results in the Test Anything Protocol, version 14; a failure says which rule does not hold and
where the tree is different first. A case whose layers are wrong passes when the tool fails and has written nothing
outside of {rootfs}. Exit code: 0 when all cases pass, 1 when some do not, 2 for a wrong command line.
`;

/** What a run of the script is asked for. */
export interface Options {
  readonly action: 'run' | 'list' | 'help' | 'scoreboard' | 'export';
  readonly run: string;
  readonly after: string | undefined;
  readonly forms: readonly Form[];
  readonly output: OutputForm;
  readonly registry: string | undefined;
  readonly ignore: ReadonlySet<Field>;
  readonly strict: boolean;
  readonly only: readonly string[];
  /** Seconds. */
  readonly timeout: number;
  readonly jobs: number;
  readonly junit: string | undefined;
  readonly json: string | undefined;
  /** Where the suite is exported to. */
  readonly directory: string;
  /** Parts of the names of the tools on the scoreboard; none for all. */
  readonly tools: readonly string[];
  readonly to: string;
}

const OUTPUTS = ['dir', 'tar', 'mtree'] as const;
/** What the tool makes of an image. */
export type OutputForm = (typeof OUTPUTS)[number];

/** A command line that cannot be meant. */
export class UsageError extends Error {}

/** Reads the command line. Throws {@link UsageError}. */
export function readOptions(argv: readonly string[]): Options {
  const { values } = parsed(argv);
  const action = values.help
    ? 'help'
    : values.list
      ? 'list'
      : values.scoreboard
        ? 'scoreboard'
        : values.export !== undefined
          ? 'export'
          : 'run';
  if (action === 'run' && values.run === undefined)
    throw new UsageError("--run is missing: scripts/conformance --run 'TOOL {image} {rootfs}'");
  const run = values.run ?? '';
  if (action === 'run' && !/\{(rootfs|bundle)\}/.test(run))
    throw new UsageError(`--run ${run}: it has no {rootfs}, so that nobody knows where the tree comes to be`);
  return {
    action,
    run,
    after: values.after,
    forms: list('--as', values.as, FORMS),
    output: list('--output', values.output, OUTPUTS)[0]!,
    registry: values.registry,
    ignore: new Set(values.ignore === undefined ? [] : list('--ignore', values.ignore, FIELDS)),
    strict: values.strict,
    only: values.only,
    timeout: positive('--timeout', values.timeout),
    jobs: Math.floor(positive('--jobs', values.jobs)),
    junit: values.junit === undefined ? undefined : resolve(values.junit),
    json: values.json === undefined ? undefined : resolve(values.json),
    directory: resolve(values.export ?? ''),
    tools: values.tool,
    to: values.to === undefined ? join(PROJECT, 'test/cases/SCOREBOARD.md') : resolve(values.to),
  };
}

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        run: { type: 'string' },
        after: { type: 'string' },
        as: { type: 'string', default: 'oci' },
        output: { type: 'string', default: 'dir' },
        registry: { type: 'string' },
        ignore: { type: 'string' },
        strict: { type: 'boolean', default: false },
        only: { type: 'string', multiple: true, default: [] },
        timeout: { type: 'string', default: '60' },
        jobs: { type: 'string', default: String(Math.min(4, availableParallelism())) },
        junit: { type: 'string' },
        json: { type: 'string' },
        list: { type: 'boolean', default: false },
        export: { type: 'string' },
        scoreboard: { type: 'boolean', default: false },
        tool: { type: 'string', multiple: true, default: [] },
        to: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function list<Word extends string>(option: string, text: string, known: readonly Word[]): Word[] {
  return text.split(',').map((word) => {
    const found = known.find((one) => one === word.trim());
    if (found === undefined) throw new UsageError(`${option} ${text}: it is one of ${known.join(', ')}`);
    return found;
  });
}

function positive(option: string, text: string): number {
  const number = Number(text);
  if (number > 0 && Number.isFinite(number)) return number;
  throw new UsageError(`${option} ${text}: not a number above 0`);
}
