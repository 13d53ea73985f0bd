/** What `--help` shows, what it leaves to `--help-all`, and that every option can be found wherever options are listed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manPage } from '../../src/cli/man.js';
import { commandLine } from '../../src/cli/program.js';
import { run } from '../support/program.js';

/** Lines of a small terminal. */
const SCREEN = 24;

const PROGRAM = commandLine(new AbortController().signal);
const COMMANDS = [PROGRAM, ...PROGRAM.commands];
const nameOf = (command: (typeof COMMANDS)[number]) => (command === PROGRAM ? [] : [command.name()]);

function helpOf(command: (typeof COMMANDS)[number], option: string): string {
  const { code, stdout, stderr } = run([...nameOf(command), option]);
  assert.equal(code, 0);
  assert.equal(stderr, '');
  return stdout.toString();
}

/** The options that a help lists, by their long names. */
function listed(help: string): string[] {
  return [...help.matchAll(/^ {2}(?:-\w, )?(--[a-z][\w-]*)/gm)].map(([, long]) => long!).sort();
}

test('options stand in groups by what they are for', () => {
  const groups = (help: string) => [...help.matchAll(/^([A-Z][a-z ]+):$/gm)].map(([, heading]) => heading);
  assert.deepEqual(groups(helpOf(PROGRAM, '--help')), [
    'Examples',
    'Arguments',
    'Output',
    'Which image',
    'Cache of downloads',
    'Changes to the tree',
    'Images of one layer',
    'Disk images',
    'Messages',
    'Commands',
  ]);
  for (const command of COMMANDS)
    for (const { long, helpGroupHeading } of command.options)
      assert.ok(helpGroupHeading, `${command.name()} ${long}`);
});

test('no group takes more than a screen', () => {
  for (const command of COMMANDS)
    for (const option of ['--help', '--help-all'])
      for (const group of helpOf(command, option).split('\n\n')) {
        const lines = group.split('\n').length;
        assert.ok(lines <= SCREEN, `${command.name()} ${option}: ${lines} lines\n${group}`);
      }
});

test('--help leaves out what few people need, and --help-all nothing', () => {
  const rare = new Set<string>();
  for (const command of COMMANDS) {
    const [some, all] = [listed(helpOf(command, '--help')), listed(helpOf(command, '--help-all'))];
    const real = [...command.options.map(({ long }) => long!), '--help'].sort();
    assert.deepEqual(all, real, command.name());
    for (const option of all) if (!some.includes(option)) rare.add(option);
  }
  for (const option of ['--uuid', '--journal', '--max-entries', '--keep-dirlinks', '--no-progress'])
    assert.ok(rare.has(option), option);
  for (const option of ['--output', '--force', '--platform', '--change', '--size', '--json'])
    assert.ok(!rare.has(option), option);
});

test('--help-all needs nothing else on the command line', () => {
  const { code, stdout } = run(['import', '--help-all', '--no-such-option']);
  assert.equal(code, 0);
  assert.match(stdout.toString(), /^Usage: flatten import /);
});

test('every option is in the man page and in the completion of each shell', () => {
  const lists = new Map([['man', manPage(PROGRAM, '').replaceAll('\\-', '-')]]);
  for (const shell of ['bash', 'zsh', 'fish']) lists.set(shell, run(['completion', shell]).stdout.toString());
  for (const { long } of COMMANDS.flatMap(({ options }) => options)) {
    for (const [list, text] of lists) {
      const written = list === 'fish' ? `-l ${long!.slice(2)}` : long!;
      assert.match(text, new RegExp(`${written}(?![\\w-])`), `${long} in ${list}`);
    }
  }
});

test('flatten help: the program, a command, and a slip in its name', () => {
  const help = (...args: string[]) => run(['help', ...args]);
  assert.equal(help().stdout.toString(), helpOf(PROGRAM, '--help'));
  assert.match(help('import').stdout.toString(), /^Usage: flatten import /);
  for (const [name, hint] of [
    ['imprt', 'flatten help import'],
    ['unmuont', 'flatten help unmount'],
    ['bogus', `the commands are ${PROGRAM.commands.map((command) => command.name()).join(', ')}`],
  ] as const) {
    const { code, stdout, stderr } = help(name);
    assert.equal(code, 2);
    assert.equal(stdout.toString(), '');
    assert.equal(stderr, `flatten: error: ${name}: no such command\n  ${hint}\n`);
  }
});
