import { basename } from 'node:path';
import { FORMATS } from './format.js';

/** Endings of files that are not written, and the way to one: `NAME` stands for the path without the ending, `FILE` for all of it. */
const WAYS: readonly (readonly [RegExp, string])[] = [
  [
    /\.(qcow2?|vmdk|vhdx?|vdi)$/,
    'write a disk image and convert it: flatten IMAGE -o NAME.img && qemu-img convert -O KIND NAME.img FILE',
  ],
  [/\.(raw|bin|disk|ext|dd)$/, 'for a disk image, say which file system it has: {format: ext4}'],
  [/\.(tar\.xz|txz)$/, 'compress the flat tar on its way: flatten IMAGE -o - | xz > FILE'],
  [/\.(tar\.bz2|tbz2?)$/, 'compress the flat tar on its way: flatten IMAGE -o - | bzip2 > FILE'],
  [/\.(tar\.lz4)$/, 'compress the flat tar on its way: flatten IMAGE -o - | lz4 > FILE'],
  [/\.(sqsh|snap|sfs)$/, 'for a squashfs image, type {output: NAME.squashfs}'],
  [/\.(initrd|initramfs)$/, 'for an initramfs, say how it is compressed: {format: cpio.gz}'],
  [
    /\.cpio\.(xz|lz4|bz2)$/,
    'compress the archive on its way, as flatten IMAGE -o - {format: cpio} | xz -C crc32 > FILE',
  ],
  [/\.(zip|7z|rar)$/, 'a zip holds no owners and no devices: write a tar, as NAME.tar.gz'],
  [/\.oci$/, 'an image in a directory is oci:DIR, an image in a file oci-archive:FILE'],
];

/** What to do where a file's name does not say what to write, or says what is not written. */
export function wayTo(output: string): string {
  for (const [ending, way] of WAYS) {
    const [found, kind = ''] = ending.exec(output.toLowerCase()) ?? [];
    if (found === undefined) continue;
    const name = output.slice(0, output.length - found.length);
    const form = kind === 'qcow' ? 'qcow2' : kind === 'vhd' ? 'vpc' : kind;
    const words = { NAME: name, FILE: output, KIND: form };
    return way.replace(/\b(NAME|FILE|KIND)\b/g, (word) => words[word as keyof typeof words]);
  }
  if (/^\/dev\/(stdout|fd\/1)$|^\/proc\/self\/fd\/1$/.test(output)) return 'standard output is {output: -}';
  return `for a directory type {output: ${output}/}, else say {format: ${FORMATS.join('|')}}`;
}

/** Whether a name has an ending at all: `rootfs` has none, nor has `.rootfs`. */
export function hasExtension(output: string): boolean {
  return /[^.]\.[^.]*$/.test(basename(output));
}
