// What vm-fixtures/boot does once flatten is built: makes the disk, starts qemu, passes on the serial line.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const here = fileURLToPath(new URL('.', import.meta.url));
const guest = process.env.FLATTEN_GUEST ?? join(here, '.guest');
const QEMU = 'qemu-system-x86_64';
const FILE_SYSTEMS = ['ext2', 'ext3', 'ext4'];

/** Ends with one line, and what to do. */
function fail(what, hint, code = 1) {
  console.error(`vm-fixtures/boot: error: ${what}${hint ? `\n  ${hint}` : ''}`);
  process.exit(code);
}

// What is thrown is foreseen by flatten, or by the system; whatever it is, a person gets a line.
process.on('uncaughtException', ({ message, hint }) => fail(message, hint));

const { image, command, manifest, fs } = commandLine(process.argv.slice(2));
if (!existsSync(image) && !/^[a-z-]+:/.test(image)) fail(`${image}: no such file or directory`);
if (spawnSync(QEMU, ['--version']).error)
  fail(`${QEMU}: is not installed`, 'sudo apt-get install qemu-system-x86');
if (!existsSync(join(guest, 'initramfs'))) {
  const { status, error } = spawnSync(join(here, 'build'), [guest], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (error) fail(error.message);
  if (status !== 0) process.exit(1); // it has said why
}

const scratch = mkdtempSync(join(tmpdir(), 'flatten-boot-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(130));

const { disk, config } = isDisk(image) ? { disk: image, config: {} } : await made(image);
process.exitCode = await boot(disk, script(config, command));

/** Takes the words apart: options, then the image, then a command with options of its own. */
function commandLine(words) {
  const end = words.findIndex((word, index) => !word.startsWith('-') && words[index - 1] !== '--fs');
  const own = words.slice(0, end < 0 ? undefined : end);
  const options = { manifest: { type: 'boolean' }, fs: { type: 'string' } };
  let values;
  try {
    ({ values } = parseArgs({ args: own, options }));
  } catch (error) {
    fail(error.message.split('\n')[0], 'vm-fixtures/boot --help', 2);
  }
  const [image, ...command] = end < 0 ? [] : words.slice(end);
  if (image === undefined) fail('no image', 'vm-fixtures/boot IMAGE [COMMAND [ARG...]]', 2);
  const fs = values.fs ?? FILE_SYSTEMS.find((name) => image.endsWith(`.${name}`)) ?? 'ext3';
  if (!FILE_SYSTEMS.includes(fs)) fail(`--fs ${fs}: unknown`, `one of ${FILE_SYSTEMS.join(', ')}`, 2);
  return { image, command, manifest: values.manifest, fs };
}

function isDisk(path) {
  return /\.(img|ext[234])$/.test(path);
}

/** Makes the disk of an image; gives what the image is for, too. */
async function made(input) {
  const flatten = await import('../dist/src/index.js');
  const disk = join(scratch, `disk.${fs}`);
  const image = await flatten.openImage(input, { tmp: scratch });
  const tree = await image.tree();
  await tree.writeTo(flatten.disk(disk, { format: fs }));
  await tree.close();
  await image.close();
  return { disk, config: image.config?.json.config ?? {} };
}

/** What the guest runs, as a shell script; undefined for nothing. */
function script({ Entrypoint, Cmd, Env }, command) {
  const words = command.length > 0 ? command : [...(Entrypoint ?? []), ...(Cmd ?? [])];
  if (words.length === 0) return undefined;
  const quoted = (word) => `'${word.replaceAll("'", `'\\''`)}'`;
  const environment = (Env ?? []).map((pair) => `export ${quoted(pair)}\n`).join('');
  return `${environment}exec /bin/busybox chroot /image ${words.map(quoted).join(' ')}\n`;
}

/** Boots the guest with a disk, prints what it prints, and gives the exit code of what it ran. */
async function boot(disk, run) {
  const kernelLine = [
    'console=ttyS0 quiet panic=-1',
    `flatten.fs=${fs}`,
    ...(manifest ? ['flatten.manifest'] : []),
    ...(run ? [`flatten.run=${Buffer.from(run).toString('base64')}`] : []),
  ].join(' ');
  const machine = ['-machine', `q35,accel=${process.env.QEMU_ACCEL ?? 'tcg'}`, '-cpu', 'max', '-m', '512'];
  const kernel = [
    '-kernel',
    join(guest, 'kernel'),
    '-initrd',
    join(guest, 'initramfs'),
    '-append',
    kernelLine,
  ];
  const drive = `file=${disk.replaceAll(',', ',,')},format=raw,if=virtio,readonly=on`;
  const rest = ['-no-reboot', '-nodefaults', '-display', 'none', '-drive', drive, '-serial', 'stdio'];
  const qemu = spawn(QEMU, [...machine, ...kernel, ...rest], { stdio: ['ignore', 'pipe', 'inherit'] });
  process.on('exit', () => qemu.kill());
  qemu.on('error', ({ message }) => fail(message));
  let tail = '';
  for await (const chunk of qemu.stdout) {
    process.stdout.write(chunk);
    tail = (tail + chunk).slice(-200);
  }
  const [, code] = /flatten-guest: exit code (\d+)/.exec(tail) ?? [];
  if (code === undefined) fail('the guest ended without an exit code', 'what it printed above may say why');
  if (code === '125')
    fail(`the guest cannot mount ${disk} as ${fs}`, 'say which file system it has: --fs ext4');
  return Number(code);
}
