import {
  appendFileSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { command } from './command.mjs';

/** What each layer installs: a system, then what people put on one. Packages this release lacks are left out. */
const LAYERS = [
  'base-files bash coreutils dpkg apt perl-base libc6 libc-bin util-linux debconf tzdata locales libicu72',
  'perl-modules-5.36 libperl5.36 git',
  'python3.11-minimal libpython3.11-stdlib python3-numpy python3-django python3-twisted',
  'cpp-12 gcc-12 libgcc-12-dev libc6-dev',
  'libboost1.74-dev libstdc++-12-dev',
  'golang-1.19-src',
  'vim-runtime iso-codes cmake-data',
  'node-typescript libruby3.1',
  'python3-sympy libclang-cpp14',
];
/** Where even this cannot be had, nothing can: the network is away, or the system is not Debian. */
const EVERYWHERE = 'base-files';
const LEAST_BYTES = 700e6;
const LEAST_FILES = 25_000;
/** What is taken from /usr: without the few files that would be half of it. */
const MOST_A_FILE = 1 << 20;

/** Writes the ten layers of an image of Debian's packages, the last of changes alone; their paths, base first. */
export async function debianLayers(directory, scale, say) {
  const stages = [];
  let isReachable = true;
  for (const [i, packages] of LAYERS.slice(0, Math.ceil(LAYERS.length * scale)).entries()) {
    const stage = join(directory, `stage-${i}`);
    mkdirSync(stage);
    for (const name of packages.split(' ')) {
      if (isReachable) say(`fetching ${name}`);
      const isThere = isReachable && (await unpackPackage(name, directory, stage));
      if (!isThere && name === EVERYWHERE) isReachable = false;
    }
    stages.push(stage);
  }
  await topUp(stages, scale);
  const kept = stages.flatMap((stage) => filesBelow(stage));
  stages.push(changes(join(directory, 'stage-changes'), kept));
  const tars = [];
  for (const [i, stage] of stages.entries()) {
    const tar = join(directory, `${i}.tar`);
    await command('tar', ['--sort=name', '--format=gnu', '--numeric-owner', '-cf', tar, '-C', stage, '.']);
    tars.push(tar);
  }
  for (const stage of stages) rmSync(stage, { recursive: true });
  return tars;
}

/** False where it cannot be had: files of /usr make up for it. */
async function unpackPackage(name, directory, stage) {
  try {
    await command('apt-get', ['-q', 'download', '-o', 'APT::Sandbox::User=root', name], { cwd: directory });
  } catch {
    return false;
  }
  for (const deb of readdirSync(directory).filter((file) => file.endsWith('.deb'))) {
    await command('dpkg-deb', ['-x', join(directory, deb), stage]);
    rmSync(join(directory, deb));
  }
  return true;
}

/** Where the packages did not give enough, files of the running system's /usr, spread over the layers. */
async function topUp(stages, scale) {
  const files = stages.flatMap((stage) => filesBelow(stage));
  let bytes = files.reduce((sum, { size }) => sum + size, 0);
  let count = files.length;
  if (bytes >= LEAST_BYTES * scale && count >= LEAST_FILES * scale) return;
  const share = stages.map(() => []);
  for (const { stage, path, size } of filesBelow('/usr').filter(isModest)) {
    if (bytes >= LEAST_BYTES * scale && count >= LEAST_FILES * scale) break;
    share[Math.floor((count / (LEAST_FILES * scale)) * stages.length) % stages.length].push(
      join(stage, path),
    );
    bytes += size;
    count++;
  }
  for (const [i, paths] of share.entries()) {
    const list = `${stages[i]}.list`;
    writeFileSync(list, paths.map((path) => `${path}\0`).join(''));
    const copy = 'tar -C / --null -T "$1" -cf - | tar -xpf - -C "$2"';
    await command('sh', ['-c', copy, 'sh', list, stages[i]]);
    rmSync(list);
  }
}

/** What an upgrade does: every 40th file rewritten, every 60th and its like removed, two directories made opaque. */
function changes(stage, files) {
  mkdirSync(stage);
  for (const [i, { stage: from, path }] of files.entries()) {
    const to = join(stage, path);
    if (i % 40 === 0) {
      cpSync(join(from, path), to, { preserveTimestamps: true });
      appendFileSync(to, '\n');
    } else if (i % 60 === 1) whiteout(dirname(to), `.wh.${basename(to)}`);
  }
  for (const opaque of ['usr/share/perl', 'usr/share/vim']) whiteout(join(stage, opaque), '.wh..wh..opq');
  return stage;
}

function whiteout(directory, name) {
  mkdirSync(directory, { recursive: true });
  if (!existsSync(join(directory, name))) writeFileSync(join(directory, name), '');
}

/** Every regular file below `stage`, in the order of names; symlinks to directories are not followed. */
function filesBelow(stage, below = '') {
  const entries = readdirSync(join(stage, below), { withFileTypes: true });
  return entries.sort(byName).flatMap((entry) => {
    const path = join(below, entry.name);
    if (entry.isDirectory()) return filesBelow(stage, path);
    return entry.isFile() ? [{ stage, path, size: lstatSync(join(stage, path)).size }] : [];
  });
}

function isModest({ size }) {
  return size <= MOST_A_FILE;
}

function byName(a, b) {
  return a.name < b.name ? -1 : 1;
}
