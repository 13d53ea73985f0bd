/** Documents beside the README, which has a test of its own. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { asReader, assertPrints, blocks as consoleBlocks, documentText } from './support/document.js';
import { needs } from './support/needs.js';
import { PROJECT } from './support/project.js';
import { scratch } from './support/scratch.js';

const CONTRIBUTING = readFileSync(join(PROJECT, '.github/CONTRIBUTING.md'), 'utf8');

/** All Markdown of the project, by path. */
const DOCUMENTS = ['.', '.github', 'src', 'test', 'vm-fixtures', 'scripts'].flatMap((room) =>
  readdirSync(join(PROJECT, room), { recursive: room !== '.', encoding: 'utf8' })
    .filter((file) => file.endsWith('.md') && !file.startsWith('.'))
    .map((file) => join(room, file)),
);

/** The anchors that a document's headings have. */
function anchors(file: string): string[] {
  const headings = [...readFileSync(file, 'utf8').matchAll(/^#+ (.*)$/gm)].map((match) => match[1]!);
  return headings.map((text) =>
    text
      .toLowerCase()
      .replace(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  );
}

/** Fenced blocks of one language. */
function blocks(language: string): string[] {
  const fenced = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm');
  return [...CONTRIBUTING.matchAll(fenced)].map((match) => match[1]!);
}

/** What a command line prints. */
function shell(line: string, cwd: string): string {
  // With this set, `node --test` would take itself for one of the files that it runs.
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined };
  return spawnSync('/bin/sh', ['-c', `{ ${line.trim()}; } 2>&1`], { cwd, env, encoding: 'utf8' }).stdout;
}

test('every document is looked at', () => {
  for (const file of ['README.md', '.github/SECURITY.md', 'src/rootfs/README.md', 'test/cases/README.md'])
    assert.ok(DOCUMENTS.includes(file), file);
});

for (const document of DOCUMENTS) {
  test(`${document}: what it links to is there`, () => {
    const links = [...readFileSync(join(PROJECT, document), 'utf8').matchAll(/\]\(([^)\s]+)\)/g)];
    for (const [, link] of links) {
      if (/^https:/.test(link!)) continue;
      const [path, anchor] = link!.split('#') as [string, string?];
      const file = path === '' ? join(PROJECT, document) : join(PROJECT, dirname(document), path);
      assert.ok(existsSync(file), link);
      if (anchor !== undefined) assert.ok(anchors(file).includes(anchor), link);
    }
  });
}

for (const block of consoleBlocks(documentText('CHANGELOG.md'), 'console')) {
  test(
    `CHANGELOG: "${block.heading}": the commands print what it says`,
    { skip: needs('root', 'mke2fs') },
    (t) => assertPrints(block, asReader(t)),
  );
}

test('CONTRIBUTING: each thing of the code that it names is there', () => {
  const code = ['src', 'test'].flatMap((room) =>
    readdirSync(join(PROJECT, room), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && file !== 'documents.test.ts')
      .map((file) => readFileSync(join(PROJECT, room, file), 'utf8')),
  );
  const named = [...CONTRIBUTING.matchAll(/`([A-Za-z]+[A-Z][A-Za-z]*)`/g)].map((match) => match[1]!);
  const names = [...new Set(named)].filter((name) => name !== 'NAME');
  assert.ok(names.length > 8);
  for (const name of names)
    assert.ok(
      code.some((text) => new RegExp(`\\b${name}\\b`).test(text)),
      name,
    );
});

test('CONTRIBUTING: each script it names is there, and its one test alone is one', () => {
  const [commands] = blocks('sh');
  for (const [script] of commands!.matchAll(/^scripts\/[\w-]+/gm))
    assert.ok(existsSync(join(PROJECT, script)));
  assert.match(shell(blocks('sh')[1]!, PROJECT), /^(# |ℹ )pass 1$/m);
});

test('CONTRIBUTING: the case fails, and then passes, as it says', (t) => {
  const cwd = scratch(t);
  for (const path of ['package.json', 'dist', 'test'])
    cpSync(join(PROJECT, path), join(cwd, path), { recursive: true });
  symlinkSync(join(PROJECT, 'node_modules'), join(cwd, 'node_modules'));
  const [, path] = /Write this to `(test\/cases\/[^`]+)`/.exec(CONTRIBUTING)!;
  writeFileSync(join(cwd, path!), blocks('text')[0]!);
  const steps = blocks('console').flatMap((block) => block.split(/^\$ /m).slice(1));
  assert.ok(steps.length >= 3);
  for (const step of steps) {
    const [command, ...expected] = step.split('\n');
    assert.equal(shell(command!, cwd), expected.join('\n'), command);
  }
});
