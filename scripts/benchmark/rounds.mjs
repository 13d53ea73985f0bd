import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { command, isThere, measure } from './command.mjs';
import { CONTESTANTS } from './contestants.mjs';

/**
 * Runs every contestant once a round, those of one input after each other. Gives, by `input/contestant`, the runs'
 * figures, or why there are none.
 * @returns {Promise<Map<string, {runs: object[], absent?: string}>>}
 */
export async function runRounds(entries, place, options, say) {
  const results = new Map();
  for (const { key, contestant } of entries) {
    const absent = missing(CONTESTANTS[contestant].needs ?? []);
    results.set(key, { runs: [], ...(absent && { absent }) });
  }
  for (let round = 1; round <= options.runs; round++) {
    for (const entry of entries) {
      const result = results.get(entry.key);
      if (result.absent) continue;
      try {
        const run = await runOnce(entry, place, options);
        result.runs.push(run);
        say(`round ${round} of ${options.runs}: ${entry.key}: ${run.wall.toFixed(2)} s`);
      } catch (error) {
        result.absent = `failed: ${error.message}`;
        say(`${entry.key}: ${result.absent}`);
      }
    }
  }
  place.discard();
  return results;
}

async function runOnce({ input, contestant }, place, { flatten, cpus }) {
  const { argv, output, cold } = CONTESTANTS[contestant];
  const cwd = await place.fresh();
  if (cold) {
    await command('sync', [input[cold]]); // what is not on the disk yet cannot leave the cache
    await command('dd', [`if=${input[cold]}`, 'iflag=nocache', 'count=0', 'status=none']);
  }
  const figures = await measure(argv(input, flatten), { cpus, cwd });
  return output ? { ...figures, size: statSync(join(cwd, output)).size } : figures;
}

function missing(needs) {
  for (const need of needs) if (!present(need)) return `skipped: needs ${need}`;
  return undefined;
}

function present(need) {
  if (need === 'root') return process.getuid() === 0;
  if (need === 'docker engine') return spawnSync('docker', ['info'], { stdio: 'ignore' }).status === 0;
  return isThere(need);
}
