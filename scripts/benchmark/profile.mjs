import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { measure } from './command.mjs';
import { CONTESTANTS } from './contestants.mjs';

/** Where V8 puts time that belongs to no function, and what a reader of the table calls it. */
const NOBODY = new Map([
  ['(idle)', 'idle'],
  ['(garbage collector)', 'garbage collector'],
  ['(program)', 'Node itself'],
  ['(root)', 'Node itself'],
]);

/** Whether a contestant is the program itself; one that a shell starts is not profiled. */
export function isProgram({ input, contestant }, { flatten }) {
  return CONTESTANTS[contestant].argv(input, flatten)[0] === process.execPath;
}

/**
 * Runs the program once more under V8's profiler (`node --cpu-prof`), and says in which file of `src/` each of its threads was. System
 * calls and hashing count for the file that asks for them, so that the rows are stages: reading, inflating, hashing, merging, writing.
 * @returns {Promise<{thread: number, where: string, seconds: number}[]>} the largest first, thread by thread; 0 is the main thread
 */
export async function profile({ input, contestant }, place, { flatten, cpus, dir }) {
  const to = join(dir, 'profile');
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true });
  const cwd = await place.fresh();
  const [node, ...args] = CONTESTANTS[contestant].argv(input, flatten);
  await measure([node, '--cpu-prof', `--cpu-prof-dir=${to}`, ...args], { cpus, cwd });
  // CPU.DATE.TIME.PID.THREAD.SEQUENCE.cpuprofile
  const rows = readdirSync(to).flatMap((name) => {
    const thread = Number(name.split('.')[4]);
    return timesOf(JSON.parse(readFileSync(join(to, name), 'utf8'))).map((row) => ({ thread, ...row }));
  });
  rmSync(to, { recursive: true });
  return rows.toSorted((a, b) => a.thread - b.thread || b.seconds - a.seconds);
}

/** The seconds of one thread, by file. Source of the format: the Profiler domain of the Chrome DevTools Protocol. */
function timesOf({ nodes, samples, timeDeltas }) {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
  const times = new Map();
  for (const [index, id] of samples.entries()) {
    const where = whereIs(byId.get(id), byId, parents);
    times.set(where, (times.get(where) ?? 0) + timeDeltas[index] / 1e6);
  }
  return [...times].map(([where, seconds]) => ({ where, seconds }));
}

/** The file of `src/` that a call is in, or that has asked for it. */
function whereIs(node, byId, parents) {
  const nobody = NOBODY.get(node.callFrame.functionName);
  if (nobody) return nobody;
  for (let at = node; at; at = byId.get(parents.get(at.id))) {
    const [, file] = /dist\/src\/(.*)\.js$/.exec(at.callFrame.url) ?? [];
    if (file) return file;
  }
  return 'Node itself';
}

/** The profiles as a table for people: what takes less than a hundredth of its thread's time is left out. */
export function formatProfiles(profiles) {
  return [...profiles].map(([key, rows]) => `\n${key}\n${formatThreads(rows)}`).join('');
}

function formatThreads(rows) {
  return [...new Set(rows.map(({ thread }) => thread))]
    .map((thread) => {
      const of = rows.filter((row) => row.thread === thread);
      const total = of.reduce((sum, { seconds }) => sum + seconds, 0);
      const lines = of
        .filter(({ seconds }) => seconds >= total / 100)
        .map(({ where, seconds }) => `${seconds.toFixed(2).padStart(10)} s  ${where}\n`);
      const name = thread === 0 ? 'main thread' : `thread ${thread}`;
      return `  ${name}: ${total.toFixed(2)} s\n${lines.join('')}`;
    })
    .join('');
}
