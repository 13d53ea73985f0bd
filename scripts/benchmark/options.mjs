import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const HELP = `Times flatten against every other tool it finds here, in turns, and prints the ratios.

Usage: scripts/bench [options] [IMAGE…]

  IMAGE            an archive or OCI layout to use in place of the images made here (needs skopeo)
  --only NAME      only contests whose name has NAME in it: save-dir, oci, img, tiny, … (may be repeated)
  --list           print the names of the contests
  --runs N         rounds; every contestant runs once a round, and medians are compared (5)
  --cpus LIST      the CPUs all contestants share, as taskset takes them, or all (0,1)
  --dir DIR        where inputs are kept and outputs are written; 14 GB (TMPDIR/flatten-bench)
  --scale F        make the inputs F times as large: 0.01 for a trial
  --flatten FILE   the program to time (dist/src/cli.js)
  --peer NAME=PATH take this program for NAME: umoci, crane, mkfs.erofs, … (may be repeated)
  --profile        say as well in which files of src/ each thread of flatten was, by a further run of each contest
  --json           print every figure of every run

The first run makes its inputs from Debian's packages (apt-get download), or from the files in /usr where that fails.
As root every run gets a file system of its own, fresh and loop-mounted; else a directory of its own.
`;

/**
 * The command line, with every default in place; ends the program for `--help`.
 * @returns {{images: string[], only: string[], list: boolean, runs: number, cpus: string, dir: string, scale: number, flatten: string, peers: Map<string, string>, profile: boolean, json: boolean}}
 */
export function readOptions(argv) {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      only: { type: 'string', multiple: true, default: [] },
      list: { type: 'boolean', default: false },
      runs: { type: 'string', default: '5' },
      cpus: { type: 'string', default: '0,1' },
      dir: { type: 'string', default: join(tmpdir(), 'flatten-bench') },
      scale: { type: 'string', default: '1' },
      flatten: { type: 'string', default: fileURLToPath(new URL('../../dist/src/cli.js', import.meta.url)) },
      peer: { type: 'string', multiple: true, default: [] },
      profile: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    process.exit(0);
  }
  return {
    ...values,
    images: positionals.map((image) => resolve(image)),
    dir: resolve(values.dir),
    flatten: resolve(values.flatten),
    peers: new Map(values.peer.map(readPeer)),
    runs: positive('--runs', values.runs),
    scale: positive('--scale', values.scale),
  };
}

function readPeer(text) {
  const [, name, path] = /^([^/=]+)=(.+)$/.exec(text) ?? [];
  if (name === undefined) throw new Error(`--peer ${text}: not of the form NAME=PATH`);
  if (!existsSync(path)) throw new Error(`--peer ${text}: there is no ${path}`);
  return [name, resolve(path)];
}

function positive(option, text) {
  const number = Number(text);
  if (number > 0) return number;
  throw new Error(`${option} ${text}: not a number above 0`);
}
