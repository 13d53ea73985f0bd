import { existsSync, mkdirSync } from 'node:fs';
import { cpus } from 'node:os';
import { command, isThere, preferPrograms } from './command.mjs';
import { CONTESTANTS } from './contestants.mjs';
import { contestsFor, NOTHING } from './contests.mjs';
import { fleetSize } from './fleet.mjs';
import { prepareInput } from './inputs.mjs';
import { judge, sidesOf } from './judge.mjs';
import { readOptions } from './options.mjs';
import { Place } from './place.mjs';
import { formatProfiles, isProgram, profile } from './profile.mjs';
import { Registry } from './registry.mjs';
import { runRounds } from './rounds.mjs';
import { formatTable } from './table.mjs';

const say = (message) => process.stderr.write(`${message}\n`);

async function main() {
  const options = readOptions(process.argv.slice(2));
  const contests = contestsFor(options.images)
    .filter(({ name, input }) => isWanted(`${name}/${input}`, options.only))
    .map((contest) => scaled(contest, options.scale));
  if (options.list) {
    process.stdout.write(contests.map(({ name, input, words }) => `${name}/${input}: ${words}\n`).join(''));
    return;
  }
  if (!existsSync(options.flatten)) throw new Error(`${options.flatten}: not there; npm run build makes it`);
  mkdirSync(options.dir, { recursive: true });
  preferPrograms(options.peers, options.dir);
  const keys = new Set(contests.flatMap((contest) => Object.values(sidesOf(contest)).flat()));
  const registry = new Registry(options.dir);
  process.once('exit', () => registry.stop());
  const entries = await entriesOf([...keys].sort(), registry, options);
  const place = new Place(options.dir);
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => {
      place.discard();
      process.exit(130);
    });
  }
  try {
    const results = await runRounds(entries, place, options, say);
    const rows = contests.map((contest) => judge(contest, results));
    const profiles = options.profile ? await profilesOf(contests, entries, place, options) : new Map();
    print({ rows, results, profiles }, place, options);
    if (rows.some(({ note }) => note?.startsWith('failed'))) process.exitCode = 1;
  } finally {
    place.discard();
    for (const { input } of entries) input.close?.();
    registry.stop();
  }
}

/** A contest whose figures are for each of some things, of which a scale makes less. */
function scaled(contest, scale) {
  if (contest.kind === 'per-entry') return { ...contest, entries: 100_000 * scale };
  return contest.each ? { ...contest, plus: contest.each * fleetSize(scale) } : contest;
}

function isWanted(name, only) {
  return only.length === 0 || only.some((part) => name.includes(part));
}

/** Prepares each input and reads it once, so that no contestant is the first to; it is in a registry where somebody reads it there. */
async function entriesOf(keys, registry, options) {
  const inputs = new Map([[NOTHING, {}]]);
  const entries = [];
  for (const key of keys) {
    const cut = key.lastIndexOf('/');
    const name = key.slice(0, cut);
    if (!inputs.has(name)) {
      const input = await prepareInput(name, options, say);
      await command('sh', ['-c', 'find "$1" -type f -exec cat {} + >/dev/null', 'sh', input.directory]);
      inputs.set(name, input);
    }
    const [contestant, input] = [key.slice(cut + 1), inputs.get(name)];
    const isOfRegistry = CONTESTANTS[contestant].needs?.includes('docker-registry') && input.oci;
    if (isOfRegistry && isThere('docker-registry') && isThere('skopeo'))
      input.registry ??= await registry.push(input, options);
    entries.push({ key, contestant, input });
  }
  return entries;
}

/** Profiles of the program, by `input/contestant`: of what stands on our side of a contest. */
async function profilesOf(contests, entries, place, options) {
  const ours = new Set(contests.flatMap((contest) => sidesOf(contest).ours));
  const profiles = new Map();
  for (const entry of entries.filter((each) => ours.has(each.key) && isProgram(each, options))) {
    say(`profile: ${entry.key}`);
    profiles.set(entry.key, await profile(entry, place, options));
  }
  return profiles;
}

function print({ rows, results, profiles }, place, { json, runs, cpus: list }) {
  const setting = { node: process.version, cpu: cpus()[0]?.model, cpus: list, runs, place: place.title };
  if (json) {
    const figures = { results: Object.fromEntries(results), profiles: Object.fromEntries(profiles) };
    process.stdout.write(`${JSON.stringify({ setting, contests: rows, ...figures }, null, 2)}\n`);
    return;
  }
  process.stdout.write(
    `Medians of ${runs}, all on CPUs ${list} of ${setting.cpu}, node ${setting.node}, ${setting.place}.\n\n`,
  );
  process.stdout.write(formatTable(rows));
  process.stdout.write(formatProfiles(profiles));
}

main().catch((error) => {
  process.stderr.write(`scripts/bench: ${error.message}\n`);
  process.exit(1);
});
