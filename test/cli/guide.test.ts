/** src/cli/README.md: its commands do what it says, and its words are those of the program. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandLine } from '../../src/cli/program.js';
import { FORMATS } from '../../src/sinks/format.js';
import { asReader, assertPrints, blocks, documentText } from '../support/document.js';
import { needs } from '../support/needs.js';

const GUIDE = documentText('src/cli/README.md');

for (const [index, block] of blocks(GUIDE, 'console').entries()) {
  test(
    `"${block.heading}", block ${index + 1}: the commands print what it says`,
    {
      skip: needs('root', 'mke2fs'),
    },
    (t) => assertPrints(block, asReader(t)),
  );
}

test('it names every option of every command, and no other', () => {
  const program = commandLine(new AbortController().signal);
  const real = [program, ...program.commands].flatMap(({ options }) => options.map(({ long }) => long!));
  const named = new Set([...GUIDE.matchAll(/(?<![\w-])--[a-z][a-z0-9-]*/g)].map(([option]) => option));
  const plain = ['--output', '--verbose', '--version']; // -o stands for the first; the others say it all
  assert.deepEqual(
    [...new Set(real)].filter((option) => !named.has(option) && !plain.includes(option)),
    [],
  );
  assert.deepEqual(
    [...named].filter((option) => !real.includes(option) && !/^--help/.test(option)),
    [],
  );
});

test('it names every command and every format', () => {
  for (const { name } of commandLine(new AbortController().signal).commands.map((command) => ({
    name: command.name(),
  })))
    assert.ok(GUIDE.includes(`flatten ${name}`), name);
  for (const format of FORMATS) {
    const ending = format.split('.').at(-1)!;
    assert.ok(GUIDE.includes(`.${ending}`) || GUIDE.includes(format), format);
  }
});
