import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { needs } from './support/needs.js';
import { run } from './support/program.js';
import { scratch } from './support/scratch.js';

/** A directory with files to complete, and the script for a shell. */
function workplace(t: TestContext, shell: string): { cwd: string; script: string } {
  const cwd = scratch(t);
  writeFileSync(join(cwd, 'image.tar'), '');
  mkdirSync(join(cwd, 'rootfs'));
  const { code, stdout } = run(['completion', shell]);
  assert.equal(code, 0);
  const script = join(scratch(t), 'script');
  writeFileSync(script, stdout);
  return { cwd, script };
}

/** Command lines, and words that must be among those that they are completed to, and that must not. */
const LINES: readonly (readonly [
  line: readonly string[],
  wanted: readonly string[],
  unwanted: readonly string[],
])[] = [
  [['--exc'], ['--exclude'], ['--include']],
  [['imp'], ['import'], ['mount']],
  [['i'], ['import', 'image.tar'], ['rootfs']],
  [['docker-d'], ['docker-daemon:'], ['docker-archive:']],
  [['image.tar', '-o', 'oci'], ['oci:', 'oci-archive:'], ['docker-archive:']],
  [['image.tar', '--format', 'ext4'], ['ext4', 'ext4.gz', 'ext4.zst'], ['ext3']],
  [['image.tar', '--comp'], ['--compression'], []],
  [['import', '--ch'], ['--change'], ['--exclude']],
  [['verify', '--li'], ['--limit'], []],
  [['import', '--exc'], [], ['--exclude']],
];

test('bash completes commands, options, formats, transports and files', { skip: needs('bash') }, (t) => {
  const { cwd, script } = workplace(t, 'bash');
  const program = `source ${script}; compopt() { :; }; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _flatten; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const completed = (line: readonly string[]) =>
    execFileSync('bash', ['-c', program, '_', 'flatten', ...line], { cwd, encoding: 'utf8' }).split('\n');
  for (const [line, wanted, unwanted] of LINES) {
    const words = completed(line);
    for (const word of wanted) assert.ok(words.includes(word), `${line.join(' ')}: ${words.join(' ')}`);
    for (const word of unwanted) assert.ok(!words.includes(word), `${line.join(' ')}: ${words.join(' ')}`);
  }
  // bash takes a colon for the end of a word.
  assert.deepEqual(completed(['image.tar', '-o', 'oci', ':', 'roo']).filter(Boolean), ['rootfs']);
  const listed = execFileSync('bash', ['-c', `source ${script}; complete -p flatten`], { encoding: 'utf8' });
  assert.match(listed, /-F _flatten flatten/);
});

test('fish completes the same', { skip: needs('fish') }, (t) => {
  const { cwd, script } = workplace(t, 'fish');
  const env = { ...process.env, HOME: scratch(t) };
  for (const [line, wanted, unwanted] of LINES) {
    const program = `source ${script}; complete -C 'flatten ${line.join(' ')}'`;
    const words = execFileSync('fish', ['-c', program], { cwd, env, encoding: 'utf8' })
      .split('\n')
      .map((each) => each.split('\t')[0]!);
    for (const word of wanted) assert.ok(words.includes(word), `${line.join(' ')}: ${words.join(' ')}`);
    for (const word of unwanted) assert.ok(!words.includes(word), `${line.join(' ')}: ${words.join(' ')}`);
  }
});

/** Types each line and a tab into an interactive zsh, and prints what stands on the line then. */
const IN_ZSH = `
import os, pty, select, sys, time
script, said, *lines = sys.argv[1:]
unread = b''
def heard(fd, until):
    global unread
    while until not in unread:
        if not select.select([fd], [], [], 20)[0]: sys.exit('zsh does not answer: ' + repr(unread))
        unread += os.read(fd, 65536)
    unread = unread[unread.index(until) + len(until):]
SETUP = b"autoload -U compinit; compinit -u -D; setopt no_beep; show() { print -r -- $BUFFER > " + said.encode() + b".new; mv " + said.encode() + b".new " + said.encode() + b"; zle send-break }; zle -N show; bindkey '^I' complete-word '^X' show; source "
for line in lines:
    pid, fd = pty.fork()
    if pid == 0: os.execvpe('zsh', ['zsh', '-f', '-i'], {**os.environ, 'TERM': 'dumb', 'PS1': 'READY '})
    unread = b''
    heard(fd, b'READY ')
    os.write(fd, SETUP + script.encode() + b'; echo LOAD""ED\\n')
    heard(fd, b'LOADED')
    heard(fd, b'READY ')
    os.write(fd, line.encode() + b'\\t\\x18')
    end = time.time() + 20
    while not os.path.exists(said):
        if time.time() > end: sys.exit('zsh does not complete: ' + line)
        if select.select([fd], [], [], 0.05)[0]: os.read(fd, 65536)
    print(open(said).read().strip())
    os.remove(said)
    os.close(fd)
    os.waitpid(pid, 0)
`;

test('zsh completes what there is one way to complete', { skip: needs('zsh', 'python3') }, (t) => {
  const { cwd, script } = workplace(t, 'zsh');
  const lines = {
    'flatten --exc': 'flatten --exclude',
    'flatten impo': 'flatten import',
    'flatten ima': 'flatten image.tar',
    'flatten image.tar -o docker-arc': 'flatten image.tar -o docker-archive:',
    'flatten image.tar --format docker-daem': 'flatten image.tar --format docker-daemon',
    'flatten import --mess': 'flatten import --message',
    'flatten verify --lim': 'flatten verify --limit',
    'flatten image.tar --add roo': 'flatten image.tar --add rootfs/',
  };
  const { stdout, stderr } = spawnSync(
    'python3',
    ['-c', IN_ZSH, script, `${script}.said`, ...Object.keys(lines)],
    {
      cwd,
      encoding: 'utf8',
    },
  );
  const shown = stdout.split('\n').map((line) => line.trim());
  assert.deepEqual(shown.slice(0, -1), Object.values(lines), stderr);
});
