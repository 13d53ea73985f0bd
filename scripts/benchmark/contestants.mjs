import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { batchOf } from './fleet.mjs';

/** A shell line whose "$1", "$2", … are the given words. */
const shell = (line, ...words) => ['sh', '-ec', line, 'sh', ...words];

const INFLATE =
  'program=$1; shift; printf "%s\\0" "$@" | xargs -0 -n 1 -P 2 sh -c \'"$0" -dc "$1" >/dev/null\' "$program"';
const LOOP = `truncate -s "$2" disk.img; mkfs.ext3 -q -F -N "$3" disk.img; mkdir mnt; mount -o loop disk.img mnt
tar -xpf "$1" -C mnt; umount mnt`;
const MKE2FS = `umoci unpack --image "$1:latest" bundle >/dev/null
mke2fs -q -t ext3 -d bundle/rootfs -N "$3" disk.img "$2"`;
/** Plain http for skopeo, and its layout here. */
const SKOPEO =
  'skopeo --insecure-policy copy -q --src-tls-verify=false "docker://$1/$2:latest" oci:copied:latest';
const SKOPEO_UMOCI = `${SKOPEO}; umoci unpack --image copied:latest bundle >/dev/null`;
const SKOPEO_MKE2FS = `${SKOPEO_UMOCI}; mke2fs -q -t ext3 -d bundle/rootfs -N "$4" disk.img "$3"`;
const DOCKER_PULL = `docker pull -q "$1/$2:latest" >/dev/null; id=$(docker create "$1/$2:latest")
mkdir out; docker export "$id" | tar -xp -C out; docker rm "$id" >/dev/null; docker rmi -f "$1/$2:latest" >/dev/null`;
const DOCKER = `docker load -q -i "$1" >/dev/null
id=$(docker create flatten-bench:latest); docker export "$id" | docker import - flatten-bench:flat >/dev/null
docker save -o out.tar flatten-bench:flat; docker rm "$id" >/dev/null; docker rmi -f flatten-bench:flat flatten-bench:latest >/dev/null`;
const EACH = 'while read -r image; do "$1" "$2" "$image" -q -o "${image##*:}.ext4" --cache cache; done <"$3"';
const XARGS = `export PATH; xargs -P 2 -n 1 sh -ec '
  name=\${1##*:}; skopeo --insecure-policy copy -q --src-tls-verify=false "$1" "oci:$name.oci:latest"
  umoci unpack --image "$name.oci:latest" "$name.bundle" >/dev/null
  files=$(find "$name.bundle/rootfs" | wc -l); size=$(du -sk "$name.bundle/rootfs" | cut -f 1)
  mke2fs -q -t ext4 -d "$name.bundle/rootfs" -N "$((files + 1000))" "$name.ext4" "$((size + files + 16384))K"
  rm -r "$name.oci" "$name.bundle"' sh <"$1"`;
const MINIMUM = '"$1" "$2" "$3" -q -o disk.img; resize2fs -f -M disk.img 2>/dev/null';

/** Until all is on the disk. */
const FLATTEN_DOWN = '"$1" "$2" "$3" -q -o out.tar; sync -f out.tar';
const COPY_DOWN = 'cat "$1" >/dev/null; cat "$2" >out.tar; sync -f out.tar';

const ours = (form, to, output) => ({
  argv: (input, flatten) => [process.execPath, flatten, input[form], '-q', '-o', to],
  output,
});

/** Connections to one server, as flatten has them. */
const CONNECTIONS = '8';
const TRANSFER = fileURLToPath(new URL('transfer.mjs', import.meta.url));
const OF_REGISTRY = ['docker-registry', 'skopeo'];

/** Those who read a registry, by the way to it that `host` is: `host` or `limited`. */
const fromRegistry = (prefix, way) => {
  const flattened = (to) => ({
    needs: OF_REGISTRY,
    argv: ({ registry }, flatten) => {
      const image = `docker://${registry[way]}/${registry.name}:latest`;
      return [process.execPath, flatten, image, '-q', '--cache', 'none', '-o', to];
    },
  });
  return {
    [`${prefix || 'registry-'}dir`]: flattened('out/'),
    [`${prefix || 'registry-'}img`]: flattened('disk.img'),
    [`${prefix}transfer`]: {
      needs: OF_REGISTRY,
      argv: ({ registry }) => [process.execPath, TRANSFER, registry[way], registry.name, CONNECTIONS],
    },
    [`${prefix}skopeo-umoci`]: {
      needs: [...OF_REGISTRY, 'umoci', 'root'],
      argv: ({ registry }) => shell(SKOPEO_UMOCI, registry[way], registry.name),
    },
    [`${prefix}skopeo-umoci-mke2fs`]: {
      needs: [...OF_REGISTRY, 'umoci', 'mke2fs', 'root'],
      argv: ({ registry, flat }) => shell(SKOPEO_MKE2FS, registry[way], registry.name, ...diskRoom(flat)),
    },
  };
};

/**
 * Who takes part, by name: what it needs, and its command for an input and the program, run in an empty directory.
 * `output` is the file whose size is of interest; `cold` is a form of the input that is not in the page cache when the run
 * starts; all else is, and by the end it is again.
 * @type {Record<string, {needs?: string[], output?: string, cold?: string, argv: (input: object, flatten: string) => string[]}>}
 */
export const CONTESTANTS = {
  'save-dir': ours('save', 'out/'),
  'save-tar': ours('save', 'out.tar'),
  'save-img': ours('save', 'disk.img', 'disk.img'),
  'save-image': ours('save', 'docker-archive:image.tar'),
  'oci-dir': ours('oci', 'out/'),
  'oci-tar': ours('oci', 'out.tar'),
  'oci-img': ours('oci', 'disk.img', 'disk.img'),
  'save-tgz': ours('save', 'out.tar.gz', 'out.tar.gz'),
  'save-tzst': ours('save', 'out.tar.zst', 'out.tar.zst'),
  'save-erofs': ours('save', 'disk.erofs', 'disk.erofs'),
  'save-erofs-verity': {
    argv: ({ save }, flatten) => [process.execPath, flatten, save, '-q', '-o', 'disk.erofs', '--verity'],
  },
  'mkfs.erofs': {
    needs: ['mkfs.erofs', 'root'],
    output: 'disk.erofs',
    argv: ({ flat }) => shell('mkfs.erofs --quiet disk.erofs "$1" >/dev/null', unpacked(flat)),
  },
  sha256sum: {
    needs: ['sha256sum'],
    argv: ({ save }, flatten) => ['sha256sum', erofsOf(save, flatten)],
  },
  'save-squashfs': { ...ours('save', 'disk.squashfs', 'disk.squashfs'), needs: ['sqfstar'] },
  sqfstar: {
    needs: ['sqfstar'],
    output: 'disk.squashfs',
    argv: ({ flat }) => shell('sqfstar -comp zstd -quiet -no-progress disk.squashfs <"$1" 2>/dev/null', flat),
  },
  pigz: {
    needs: ['pigz'],
    output: 'out.tar.gz',
    argv: ({ flat }) => shell('pigz -6 -p2 -c "$1" >out.tar.gz', flat),
  },
  'zstd-t2': {
    needs: ['zstd'],
    output: 'out.tar.zst',
    argv: ({ flat }) => shell('zstd -q -3 -T2 -c "$1" >out.tar.zst', flat),
  },
  version: { argv: (_, flatten) => [process.execPath, flatten, '--version'] },
  node: { argv: () => [process.execPath, '-e', '0'] },
  'fleet-batch': {
    argv: (input, flatten) => [process.execPath, flatten, ...batchOf(input, 'out/{tag}.ext4')],
  },
  'fleet-each': { argv: ({ list }, flatten) => shell(EACH, process.execPath, flatten, list) },
  'fleet-xargs': { needs: ['skopeo', 'umoci', 'mke2fs', 'root'], argv: ({ list }) => shell(XARGS, list) },
  'fleet-current': {
    argv: (input, flatten) => [process.execPath, flatten, ...batchOf(input, `${input.made}/{tag}.ext4`)],
  },
  'tar-x': { argv: ({ flat }) => shell('mkdir out; tar -xpf "$1" -C out', flat) },
  crane: { needs: ['crane'], argv: ({ save }) => shell('crane export - out.tar <"$1"', save) },
  'crane-tar-x': {
    needs: ['crane'],
    argv: ({ save }) => shell('mkdir out; crane export - - <"$1" | tar -xp -C out', save),
  },
  copy: { argv: ({ save, flat }) => shell('cat "$1" >/dev/null; cat "$2" >out.tar', save, flat) },
  'save-tar-json': {
    argv: ({ save }, flatten) => [process.execPath, flatten, save, '--json', '-o', 'out.tar'],
  },
  'save-tar-cold': {
    needs: ['dd'],
    cold: 'save',
    argv: ({ save }, flatten) => shell(FLATTEN_DOWN, process.execPath, flatten, save),
  },
  'copy-cold': { needs: ['dd'], cold: 'save', argv: ({ save, flat }) => shell(COPY_DOWN, save, flat) },
  write: { argv: ({ flat }) => shell('cat "$1" >out.tar', flat) },
  inflate: { argv: ({ oci }) => shell(INFLATE, 'gzip', ...gzipLayers(oci)) },
  'inflate-pigz': { needs: ['pigz'], argv: ({ oci }) => shell(INFLATE, 'pigz', ...gzipLayers(oci)) },
  umoci: {
    needs: ['umoci', 'root'],
    argv: ({ oci }) => ['umoci', 'unpack', '--image', `${oci}:latest`, 'bundle'],
  },
  'umoci-mke2fs': {
    needs: ['umoci', 'mke2fs', 'root'],
    argv: ({ oci, flat }) => shell(MKE2FS, oci, ...diskRoom(flat)),
  },
  'loop-tar': { needs: ['mkfs.ext3', 'root'], argv: ({ flat }) => shell(LOOP, flat, ...diskRoom(flat)) },
  ...fromRegistry('', 'host'),
  ...fromRegistry('limited-', 'limited'),
  'registry-cached': {
    needs: OF_REGISTRY,
    argv: ({ registry }, flatten) => {
      const image = `docker://${registry.host}/${registry.name}:latest`;
      return [process.execPath, flatten, image, '-q', '--cache', registry.cache, '-o', 'out/'];
    },
  },
  'docker-pull': {
    needs: [...OF_REGISTRY, 'docker', 'docker engine'],
    argv: ({ registry }) => shell(DOCKER_PULL, registry.host, registry.name),
  },
  docker: { needs: ['docker', 'docker engine'], argv: ({ save }) => shell(DOCKER, save) },
  minimum: {
    needs: ['resize2fs'],
    argv: ({ save }, flatten) => shell(MINIMUM, process.execPath, flatten, save),
    output: 'disk.img',
  },
};

/** The layers of a layout made here: its only large blobs. */
function gzipLayers(layout) {
  const blobs = join(layout, 'blobs/sha256');
  return readdirSync(blobs)
    .map((name) => join(blobs, name))
    .filter((blob) => readFileSync(blob).readUInt16BE(0) === 0x1f8b);
}

/** The tree of a flat tar as a directory beside it, which is there from the first time on. */
function unpacked(flat) {
  return madeOnce(`${flat}.d`, (path) => {
    mkdirSync(path);
    execFileSync('tar', ['-xpf', flat, '-C', path]);
  });
}

/** The EROFS image of an archive, beside it. */
function erofsOf(save, flatten) {
  return madeOnce(`${save}.erofs`, (path) =>
    execFileSync(process.execPath, [flatten, save, '-q', '--format', 'erofs', '-o', path]),
  );
}

/** Something that takes long to make, and stays; half of it does not. */
function madeOnce(path, make) {
  if (existsSync(path)) return path;
  const making = `${path}.making`;
  rmSync(making, { recursive: true, force: true });
  make(making);
  renameSync(making, path);
  return path;
}

const rooms = new Map();

/** A disk's size and inodes for the tree in a flat tar, with some to spare: the others cannot tell, and must be told. */
function diskRoom(flat) {
  if (!rooms.has(flat)) {
    const names = execFileSync('tar', ['-tf', flat], { encoding: 'latin1', maxBuffer: 2 ** 30 });
    const entries = names.split('\n').length;
    const kib = Math.ceil(statSync(flat).size / 1024) + entries * 4 + 65_536;
    rooms.set(flat, [`${kib}K`, `${entries + 1000}`]);
  }
  return rooms.get(flat);
}
