import { spawnSync } from 'node:child_process';
import { CLI } from './program.js';

/** A stream of a program. */
export type Stream = 'stdin' | 'stdout' | 'stderr';

/** A terminal, and what is on it. */
export interface Terminal {
  /** Default: all three. The others are empty, or kept. */
  readonly streams?: readonly Stream[];
  /** Default: 80. */
  readonly columns?: number;
  /** The columns that the terminal has once something was drawn. */
  readonly later?: number;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** What came of a run on a terminal; bytes are latin1. */
export interface Shown {
  readonly code: number;
  /** All that was written to the terminal; {@link RESIZED} stands where it got other columns. */
  readonly shown: string;
  /** What was written elsewhere. */
  readonly stdout: string;
  readonly stderr: string;
}

export const RESIZED = '<resized>';

/** The child's own session has the terminal, so that a change of its size is signalled. */
const SCRIPT = `
import fcntl, json, os, pty, struct, subprocess, sys, tempfile, termios
streams, columns, later = json.loads(sys.argv[1])
def resize(fd, columns): fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', 24, columns, 0, 0))
master, slave = pty.openpty()
resize(slave, columns)
def begin():
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
kept = {name: tempfile.TemporaryFile() for name in ('stdin', 'stdout', 'stderr')}
given = {name: slave if name in streams else kept[name] for name in kept}
child = subprocess.Popen(sys.argv[2:], preexec_fn=begin, **given)
os.close(slave)
os.write(master, b'\\x04') # nobody types anything: who reads comes to the end
shown = b''
while True:
    try: piece = os.read(master, 65536)
    except OSError: break
    shown += piece
    if later and b'%' in piece:
        resize(master, later)
        later = 0
        shown += b'${RESIZED}'
def text(file):
    file.seek(0)
    return file.read().decode('latin1')
print(json.dumps({'code': child.wait(), 'shown': shown.decode('latin1'),
    'stdout': text(kept['stdout']), 'stderr': text(kept['stderr'])}))
`;

/** Runs `flatten` with these arguments on a terminal, a real one for the kernel. Needs `python3`. */
export function onTerminal(args: readonly string[], terminal: Terminal = {}): Shown {
  const { streams = ['stdin', 'stdout', 'stderr'], columns = 80, later = 0, cwd, env } = terminal;
  const spec = JSON.stringify([streams, columns, later]);
  const { NO_COLOR: _, FORCE_COLOR: __, ...usual } = process.env;
  const { stdout, stderr } = spawnSync('python3', ['-c', SCRIPT, spec, process.execPath, CLI, ...args], {
    encoding: 'utf8',
    env: { ...usual, TERM: 'xterm', ...env },
    maxBuffer: 1 << 28,
    ...(cwd !== undefined && { cwd }),
  });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout);
}
