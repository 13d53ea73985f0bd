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
const FILE_SYSTEMS = ['ext2', 'ext3', 'ext4', 'erofs', 'squashfs', 'cpio'];
/** What `addInit` puts into a tree. */
const INIT = '/sbin/flatten-init';

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
if (!existsSync(join(guest, 'busybox')) || !existsSync(join(guest, 'initramfs'))) {
  const { status, error } = spawnSync(join(here, 'build'), [guest], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (error) fail(error.message);
  if (status !== 0) process.exit(1); // it has said why
}

const scratch = mkdtempSync(join(tmpdir(), 'flatten-boot-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(130));

const { disk, starts } = isDisk(image) ? { disk: image, starts: command.length === 0 } : await made(image);
process.exitCode = await boot(disk, starts);

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
  if (fs === 'cpio' && values.manifest)
    fail('--manifest: of a cpio archive the guest has no disk to list', '', 2);
  return { image, command, manifest: values.manifest, fs };
}

function isDisk(path) {
  return /\.(img|ext[234]|erofs|squashfs)$/.test(path);
}

/** Makes the disk of an image; tells whether it starts itself, which it does not where there is nothing to start. */
async function made(input) {
  const { cpio, disk: diskSink, imageOf, openImage } = await import('../dist/src/index.js');
  const disk = join(scratch, `disk.${fs}`);
  const image = await openImage(input, { tmp: scratch });
  const asked = command.length > 0 ? { Entrypoint: command, Cmd: null } : {};
  const json = { ...image.config?.json, config: { ...image.config?.json.config, ...asked } };
  const config = { ...image.config, json, text: JSON.stringify(json) };
  const { Entrypoint, Cmd } = json.config;
  const starts = [...(Entrypoint ?? []), ...(Cmd ?? [])].length > 0;
  const tree = await treeOf(imageOf({ ...image, config }, { tmp: scratch }), starts);
  await tree.writeTo(fs === 'cpio' ? cpio(disk) : diskSink(disk, { format: fs }));
  await tree.close();
  await image.close();
  return { disk, starts };
}

/** The tree with the script that starts it, and with busybox where it has no shell for that. */
async function treeOf(image, starts) {
  if (!starts) return image.tree();
  try {
    return await image.tree({ addInit: INIT });
  } catch (error) {
    if (error.code !== 'UNSUPPORTED') throw error;
    return image.tree({ addInit: INIT, add: [{ directory: join(guest, 'busybox'), path: 'bin' }] });
  }
}

/** What the guest runs of a disk that was there before, as a shell script; undefined for nothing. */
function script(starts) {
  if (starts || command.length === 0) return undefined;
  const quoted = (word) => `'${word.replaceAll("'", `'\\''`)}'`;
  return `exec /bin/busybox chroot /image ${command.map(quoted).join(' ')}\n`;
}

/** Boots the guest with a disk, prints what it prints, and gives the exit code of what it ran. */
async function boot(disk, starts) {
  const run = script(starts);
  // An emulated machine on a busy one finds its timer late, and the kernel would take that for a fault.
  const kernelLine = [
    'console=ttyS0 quiet panic=-1 no_timer_check',
    `flatten.fs=${fs}`,
    ...(manifest ? ['flatten.manifest'] : []),
    ...(starts ? [fs === 'cpio' ? `rdinit=${INIT}` : `flatten.init=${INIT}`] : []),
    ...(run ? [`flatten.run=${Buffer.from(run).toString('base64')}`] : []),
  ].join(' ');
  const machine = ['-machine', `q35,accel=${process.env.QEMU_ACCEL ?? 'tcg'}`, '-cpu', 'max', '-m', '512'];
  const kernel = [
    '-kernel',
    join(guest, 'kernel'),
    '-initrd',
    fs === 'cpio' ? disk : join(guest, 'initramfs'),
    '-append',
    kernelLine,
  ];
  const drive = `file=${disk.replaceAll(',', ',,')},format=raw,if=virtio,readonly=on`;
  const drives = fs === 'cpio' ? [] : ['-drive', drive];
  const rest = ['-no-reboot', '-nodefaults', '-display', 'none', ...drives, '-serial', 'stdio'];
  const qemu = spawn(QEMU, [...machine, ...kernel, ...rest], { stdio: ['ignore', 'pipe', 'inherit'] });
  process.on('exit', () => qemu.kill());
  qemu.on('error', ({ message }) => fail(message));
  let tail = '';
  for await (const chunk of qemu.stdout) {
    process.stdout.write(chunk);
    tail = (tail + chunk).slice(-1000);
  }
  const [, code] = /flatten-(?:guest|init): exit code (\d+)/.exec(tail) ?? [];
  if (code === undefined) fail('the guest ended without an exit code', 'what it printed above may say why');
  if (code === '125')
    fail(`the guest cannot mount ${disk} as ${fs}`, 'say which file system it has: --fs ext4');
  return Number(code);
}
