/** What the script runs, as words for a shell, and what it starts. */
export interface InitParts {
  /** What stands behind `#!`. */
  readonly shell: string;
  readonly mount: string;
  readonly mkdir: string;
  readonly ln: string;
  /** Absent where nothing has to be copied. */
  readonly cp?: string;
  /** Makes the console the user's; absent for root. */
  readonly chown?: string;
  /** Brings the loopback interface up; absent where the tree has no way to. */
  readonly loopback?: string;
  /** Writes what is in memory to the disk; absent where the tree has no way to. */
  readonly sync?: string;
  /** The user's number. */
  readonly uid: number;
  readonly cwd: string;
  /** Directories that must be written to, with their modes, and whether something is in them. */
  readonly written: readonly { readonly path: string; readonly mode: string; readonly isEmpty: boolean }[];
  /** The program with its environment. */
  readonly program: string;
  /** How root becomes the user and runs the program. */
  readonly start: string;
  /** Whether `start` runs the script again, which then runs the program. */
  readonly again: boolean;
  /** What the program is asked to stop with. */
  readonly stopSignal: number;
}

/** Signals that are passed on as they are. TERM, INT (Ctrl-Alt-Del) and PWR ask the machine to stop. */
const PASSED = ['HUP', 'QUIT', 'USR1', 'USR2'];

/**
 * The text of a shell script that is the first process of a machine. It takes POSIX's shell, and no programs but those in `parts`.
 * Everything that stands in `parts` is quoted already.
 */
export function initScript(parts: InitParts): string {
  const { shell, mount, mkdir, ln, chown, loopback, sync, uid, cwd, program, start, again } = parts;
  return `#!${shell}
# The first process of a machine whose root file system is the tree of an image: it mounts what programs expect, runs the
# program of the image as its user, passes signals on to it, and switches the machine off when it has ended.
${
  again
    ? `
if [ "$$" != 1 ] && [ "$1" = program ]; then
  exec ${program}
fi
`
    : ''
}
if [ "$$" != 1 ]; then
  echo "$0: is for the first process of a machine" >&2
  exit 1
fi

mounted() { # whether something is mounted at $1
  while read -r what at how; do
    [ "$at" != "$1" ] || return 0
  done </proc/mounts
  return 1
}

read_only() { # whether the root file system is
  found=1
  while read -r what at type how; do
    [ "$at" = / ] || continue
    case $how in ro | ro,* | ro\\ *) found=0 ;; *) found=1 ;; esac
  done </proc/mounts
  return "$found"
}

[ -e /proc/mounts ] || ${mount} -t proc -o nosuid,nodev,noexec proc /proc
mounted /sys || ${mount} -t sysfs -o nosuid,nodev,noexec sysfs /sys
mounted /dev || ${mount} -t devtmpfs -o nosuid,mode=0755 dev /dev
[ -d /dev/pts ] || ${mkdir} /dev/pts
mounted /dev/pts || ${mount} -t devpts -o nosuid,noexec,gid=5,mode=0620,ptmxmode=0666 devpts /dev/pts
[ -d /dev/shm ] || ${mkdir} /dev/shm
mounted /dev/shm || ${mount} -t tmpfs -o nosuid,nodev,mode=1777 shm /dev/shm
[ -e /dev/fd ] || ${ln} -s /proc/self/fd /dev/fd
[ -e /dev/stdin ] || ${ln} -s /proc/self/fd/0 /dev/stdin
[ -e /dev/stdout ] || ${ln} -s /proc/self/fd/1 /dev/stdout
[ -e /dev/stderr ] || ${ln} -s /proc/self/fd/2 /dev/stderr
if read_only; then
${parts.written.map((directory) => writable(directory, parts)).join('\n')}
fi

# In a container, where this may be the first process too, there is no machine to set up or to switch off.
second=
{ read -r second </proc/2/comm; } 2>/dev/null
machine=
[ "$second" != kthreadd ] || machine=yes
if [ -n "$machine" ]; then
  echo 0 >/proc/sys/kernel/ctrl-alt-del
  read -r name </proc/sys/kernel/hostname
  [ "$name" != '(none)' ] || echo flatten >/proc/sys/kernel/hostname
${loopback === undefined ? '' : `  ${loopback}\n`}\
  if (: </dev/console >/dev/console) 2>/dev/null; then
    exec </dev/console >/dev/console 2>&1
${chown === undefined ? '' : `    ${chown} ${uid} /dev/console\n`}\
  fi
fi

end() { # ends with the exit code $1
  [ -n "$machine" ] || exit "$1"
  kill -KILL -1 2>/dev/null
  echo "flatten-init: exit code $1"
${sync === undefined ? '' : `  ${sync}\n`}\
  read_only || ${mount} -o remount,ro /
  read -r line </proc/cmdline
  case " $line " in
    *' reboot=k '*) key=b ;; # a virtual machine that knows no other way to be switched off
    *) key=o ;;
  esac
  echo "$key" >/proc/sysrq-trigger
  # A kernel that cannot is left after a while: it panics, and does what panic= says.
  read -r now idle </proc/uptime
  last=$((\${now%.*} + 5))
  while [ "\${now%.*}" -lt "$last" ]; do read -r now idle </proc/uptime; done
  exit "$1"
}

cd ${cwd} || end 126
exec 3<&0
(
  # A shell lets its background commands have no input, and ignore what a terminal sends.
  exec <&3 3<&-
  trap - INT QUIT
  exec ${start}
) &
child=$!
exec 3<&-

passed=
pass() {
  passed=yes
  kill "-$1" "$child" 2>/dev/null
}
trap 'pass ${parts.stopSignal}' TERM INT PWR
${PASSED.map((name) => `trap 'pass ${name}' ${name}`).join('\n')}

# While it waits, the shell takes leave of every process whose parent has gone. A signal ends the waiting too; then the code is
# that of the next time, unless the child had ended at once and is known no more (127).
wait "$child"
code=$?
while [ -n "$passed" ]; do
  passed=
  wait "$child"
  next=$?
  [ "$next" = 127 ] || code=$next
done
end "$code"
`;
}

/** A file system in memory in place of a directory, with a copy of what is in it. */
function writable(
  { path, mode, isEmpty }: InitParts['written'][number],
  { mount, mkdir, cp }: InitParts,
): string {
  const inMemory = `${mount} -t tmpfs -o nosuid,nodev,mode=${mode} tmpfs`;
  if (isEmpty || cp === undefined) return `  mounted ${path} || ${inMemory} ${path}`;
  return `  if ! mounted ${path}; then
    [ -d /dev/.new ] || ${mkdir} /dev/.new
    ${inMemory} /dev/.new && ${cp} -a ${path}/. /dev/.new/ && ${mount} -o move /dev/.new ${path}
  fi`;
}
