import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { manPage } from '../src/cli/man.js';
import { commandLine } from '../src/cli/program.js';
import { documentText } from './support/document.js';
import { needs } from './support/needs.js';
import { scratch } from './support/scratch.js';

test('the man page is well-formed, and has every command and option', { skip: needs('mandoc') }, (t) => {
  const program = commandLine(new AbortController().signal);
  const page = join(scratch(t), 'flatten.1');
  writeFileSync(page, manPage(program, documentText('src/cli/README.md')));
  const { stdout } = spawnSync('mandoc', ['-T', 'lint', '-W', 'warning', page], { encoding: 'utf8' });
  // A date would change with every build.
  assert.deepEqual(
    stdout.split('\n').filter((line) => line !== '' && !/missing date/.test(line)),
    [],
  );
  // Bold and underlined are a letter struck twice.
  const printed = execFileSync('mandoc', ['-T', 'ascii', '-O', 'width=200', page], { encoding: 'latin1' });
  const text = printed.replace(/.\x08/g, '').replace(/\s+/g, ' ');
  assert.ok(program.commands.length >= 5);
  for (const command of [program, ...program.commands]) {
    assert.ok(text.includes(`flatten ${command === program ? 'IMAGE' : command.name()}`), command.name());
    for (const { flags, description } of command.options) {
      const said = `${flags} ${description}`.replace(/[^ -~]/g, '').replace(/\s+/g, ' ');
      assert.ok(text.replace(/<\?>|\.\.\. ?/g, '').includes(said.slice(0, 60)), said);
    }
  }
  assert.match(text, /flatten import ROOTFS -o OUTPUT \[OPTION\]/);
  assert.match(text, /130 an interrupt/);
  for (const heading of documentText('src/cli/README.md').matchAll(/^## (.*)$/gm))
    assert.ok(text.includes(heading[1]!.toUpperCase()), heading[1]);
  assert.match(text, /A glob without a slash matches a name at any depth\./);
  assert.match(text, /flatten verify disk\.img image\.tar --exclude etc\/passwd; echo "exit code \$\?"/);
  assert.doesNotMatch(text, /`|\]\(/);
});
