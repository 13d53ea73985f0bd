/**
 * What is compared. A time or a size: `ours` against the sum of `theirs`, or with `larger` the larger of them, at most `most` times it
 * plus `plus` seconds. A peak: at most `most` bytes. `less` is a contestant of ours whose time is taken off first, so that what one
 * option costs is compared. A growth: the peak on `input` against that on `base`. A contest without `most` is there to be known.
 */
const MIB = 1e6;
/** The input of a contest that reads none. */
export const NOTHING = '-';
const STATED = ['big', 'tiny'];
const INFLATE = ['inflate', 'tar-x'];

const time = (name, ours, theirs, words, most) => ({ kind: 'time', name, ours, theirs, words, most });
/** Against the larger of two times: what must be waited for anyhow. */
const larger = (...about) => ({ ...time(...about), larger: true });
const peak = (name, ours, most) => ({ kind: 'peak', name, ours, theirs: [], words: 'peak memory', most });

const OF_EACH_IMAGE = [
  time('save-dir', 'save-dir', ['tar-x'], 'tar -xpf of the flat tar', 1.0),
  time('save-dir', 'save-dir', ['crane-tar-x'], 'crane export | tar -xp'),
  time('oci-dir', 'oci-dir', ['umoci'], 'umoci unpack', 0.3),
  time('oci-dir', 'oci-dir', INFLATE, 'gzip -dc, two at a time + tar -xpf', 1.3),
  time('oci-dir', 'oci-dir', ['inflate-pigz', 'tar-x'], 'pigz -dc, two at a time + tar -xpf'),
  time('save-tar', 'save-tar', ['copy'], 'reading it + writing the flat tar', 1.5),
  time('save-tar', 'save-tar', ['crane'], 'crane export'),
  time('save-tar-cold', 'save-tar-cold', ['copy-cold'], 'the same, from a cold cache, to the disk', 1.5),
  time('oci-tar', 'oci-tar', ['inflate', 'write'], 'gzip -dc, two at a time + writing'),
  time('save-img', 'save-img', ['loop-tar'], 'mkfs, loop mount, tar -xpf, umount', 0.6),
  time('save-img', 'save-img', ['save-dir'], 'flatten to a directory', 1.0),
  time('oci-img', 'oci-img', ['umoci-mke2fs'], 'umoci unpack + mke2fs -d', 0.25),
  time('oci-img', 'oci-img', ['oci-dir'], 'flatten to a directory', 1.0),
  time('save-image', 'save-image', ['docker'], 'docker load, export | import, save', 0.5),
  time('save-image', 'save-image', ['save-tar-json'], 'flatten to a flat tar, with its digest', 1.2),
  time('registry-dir', 'registry-dir', ['skopeo-umoci'], 'skopeo copy + umoci unpack', 0.5),
  time('registry-dir', 'registry-dir', ['docker-pull'], 'docker pull, create, export | tar -xp', 0.5),
  larger(
    'registry-dir',
    'registry-dir',
    ['transfer', 'oci-dir'],
    'transfer alone, or the layout flattened',
    1.15,
  ),
  time(
    'registry-img',
    'registry-img',
    ['skopeo-umoci-mke2fs'],
    'skopeo copy + umoci unpack + mke2fs -d',
    0.25,
  ),
  time('registry-cached', 'registry-cached', ['oci-dir'], 'flatten of the same layout', 1.0),
  time('limited-dir', 'limited-dir', ['limited-skopeo-umoci'], 'skopeo copy + umoci unpack', 0.5),
  larger(
    'limited-dir',
    'limited-dir',
    ['limited-transfer', 'oci-dir'],
    'transfer alone, or the layout flattened',
    1.15,
  ),
  time(
    'limited-img',
    'limited-img',
    ['limited-skopeo-umoci-mke2fs'],
    'skopeo copy + umoci unpack + mke2fs -d',
    0.25,
  ),
  { ...time('img-size', 'save-img', ['minimum'], 'resize2fs -M of it'), kind: 'size' },
  time('save-erofs', 'save-erofs', ['save-img'], 'flatten to an ext3 image', 0.8),
  time('save-erofs', 'save-erofs', ['mkfs.erofs'], 'mkfs.erofs of the directory', 0.5),
  time('save-erofs', 'save-erofs', ['copy'], 'reading it + writing the flat tar', 1.3),
  { ...time('erofs-size', 'save-erofs', ['mkfs.erofs'], 'what mkfs.erofs makes'), kind: 'size' },
  {
    ...time('verity', 'save-erofs-verity', ['sha256sum'], 'sha256sum of the image', 1.3),
    less: 'save-erofs',
  },
  time('save-squashfs', 'save-squashfs', ['sqfstar'], 'sqfstar of the flat tar', 1.1),
  { ...time('squashfs-size', 'save-squashfs', ['sqfstar'], 'what sqfstar makes'), kind: 'size' },
  time('save-tgz', 'save-tgz', ['pigz'], 'pigz -6 -p2 of the flat tar', 0.6),
  { ...time('tgz-size', 'save-tgz', ['pigz'], 'what pigz -6 makes', 1.03), kind: 'size' },
  time('save-tzst', 'save-tzst', ['zstd-t2'], 'zstd -3 -T2 of the flat tar', 1.3),
  { ...time('tzst-size', 'save-tzst', ['zstd-t2'], 'what zstd -3 makes', 1.03), kind: 'size' },
  peak('save-dir', 'save-dir', 200 * MIB),
  peak('oci-dir', 'oci-dir', 200 * MIB),
  peak('save-tar', 'save-tar', 200 * MIB),
  peak('registry-dir', 'registry-dir', 200 * MIB),
  peak('limited-dir', 'limited-dir', 200 * MIB),
  peak('oci-tar', 'oci-tar', 200 * MIB),
  peak('save-img', 'save-img', 250 * MIB),
  peak('oci-img', 'oci-img', 250 * MIB),
  peak('save-erofs', 'save-erofs', 250 * MIB),
  peak('verity', 'save-erofs-verity', 250 * MIB),
  peak('save-image', 'save-image', 200 * MIB),
  peak('save-tgz', 'save-tgz', 200 * MIB),
  peak('save-tzst', 'save-tzst', 200 * MIB),
];

const growth = (ours) => [
  {
    kind: 'growth',
    name: `${ours}-growth`,
    input: 'bytes2',
    base: 'bytes',
    ours,
    most: 1.1,
    words: 'peak memory, at half the bytes',
  },
  {
    kind: 'per-entry',
    name: `${ours}-entry`,
    input: 'tiny2',
    base: 'tiny',
    ours,
    words: 'peak memory for each further file',
  },
];

/** Of many images at a time; `each` are seconds for each of them, that are added. */
const FLEET = [
  time('fleet', 'fleet-batch', ['fleet-each'], 'flatten, one image after the other', 0.6),
  time('fleet', 'fleet-batch', ['fleet-xargs'], 'xargs -P2: skopeo copy, umoci unpack, mke2fs -d', 0.4),
  {
    ...time('fleet-current', 'fleet-current', ['version'], 'flatten --version; nothing to do', 1),
    each: 0.005,
  },
];

/** The contests for these inputs; those of made-up pairs only where the images are made here. */
export function contestsFor(images) {
  const inputs = images.length > 0 ? images : STATED;
  const list = inputs.flatMap((input) => OF_EACH_IMAGE.map((contest) => ({ ...contest, input })));
  if (images.length > 0) return list;
  return [
    { ...time('start-up', 'version', ['node'], 'node -e 0', 1.5), plus: 0.06, input: NOTHING },
    ...list,
    {
      kind: 'across',
      name: 'img-wide',
      input: 'wide',
      base: 'spread',
      ours: 'save-img',
      most: 2,
      words: 'as many files in 600 directories',
    },
    ...['save-dir', 'oci-dir', 'save-tar', 'save-img'].flatMap(growth),
    ...FLEET.map((contest) => ({ ...contest, input: 'fleet' })),
  ];
}
