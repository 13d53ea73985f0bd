import { FlattenError } from '../errors.js';
import type { ByteRange } from '../host/bytes.js';
import { readRange } from '../host/bytes.js';

/** What a file that is no tar is, by the bytes it begins with, and the command that gets a root filesystem out of it. */
interface ForeignKind {
  readonly at: number;
  readonly magic: string;
  /** With its article. */
  readonly name: string;
  /** `FILE` stands for the file. */
  readonly command?: string;
}

const KINDS: readonly ForeignKind[] = [
  { at: 0, magic: 'PK\x03\x04', name: 'a zip archive', command: 'unzip FILE -d DIR' },
  { at: 0, magic: 'PK\x05\x06', name: 'an empty zip archive' },
  { at: 0, magic: '!<arch>\ndebian', name: 'a Debian package', command: 'dpkg-deb -x FILE DIR' },
  { at: 0, magic: '!<arch>\n', name: 'an ar archive' },
  { at: 0, magic: '\xed\xab\xee\xdb', name: 'an RPM package', command: 'bsdtar -xf FILE -C DIR' },
  { at: 0, magic: 'hsqs', name: 'a squashfs image', command: 'unsquashfs -d DIR FILE' },
  { at: 0, magic: 'QFI\xfb', name: 'a qcow2 disk image', command: 'virt-copy-out -a FILE / DIR' },
  { at: 0, magic: 'KDMV', name: 'a VMDK disk image', command: 'virt-copy-out -a FILE / DIR' },
  { at: 0, magic: 'vhdxfile', name: 'a VHDX disk image', command: 'virt-copy-out -a FILE / DIR' },
  { at: 0, magic: '\x7fELF', name: 'a program (ELF)' },
  { at: 0, magic: '070701', name: 'a cpio archive', command: 'bsdtar -xf FILE -C DIR' },
  { at: 0, magic: '070702', name: 'a cpio archive', command: 'bsdtar -xf FILE -C DIR' },
  { at: 0, magic: '070707', name: 'a cpio archive', command: 'bsdtar -xf FILE -C DIR' },
  { at: 0, magic: "7z\xbc\xaf'\x1c", name: 'a 7-Zip archive', command: '7z x FILE -oDIR' },
  { at: 0, magic: 'Rar!', name: 'a RAR archive', command: 'bsdtar -xf FILE -C DIR' },
  { at: 0, magic: '#!', name: 'a script' },
  { at: 32, magic: 'SIF_MAGIC', name: 'a Singularity image', command: 'apptainer build --sandbox DIR FILE' },
  { at: 1024, magic: '\xe2\xe1\xf5\xe0', name: 'an EROFS image', command: 'fsck.erofs --extract=DIR FILE' },
  {
    at: 1024 + 56,
    magic: '\x53\xef',
    name: 'a disk image (ext2, ext3 or ext4)',
    command: 'debugfs -R "rdump / DIR" FILE',
  },
  { at: 0, magic: 'XFSB', name: 'an XFS image' },
  { at: 0x10040, magic: '_BHRfS_M', name: 'a Btrfs image' },
  { at: 0x8001, magic: 'CD001', name: 'an ISO image', command: 'bsdtar -xf FILE -C DIR' },
  { at: 510, magic: '\x55\xaa', name: 'a disk with partitions', command: 'virt-copy-out -a FILE / DIR' },
];

/** As far as the magic bytes go. */
const HEAD = 0x10048;

/** The error (`BAD_IMAGE`) for the file `name`, which is no tar: it says what it is, by its first bytes, where that is known. */
export function foreignFile(name: string, content: ByteRange, cause: FlattenError): FlattenError {
  const head = headOf(content);
  const kind = KINDS.find(({ at, magic }) => head.startsWith(magic, at)) ?? textKind(head);
  const what = kind === undefined ? 'is' : `is ${kind.name},`;
  const unpack = kind?.command?.replace('FILE', () => name);
  return new FlattenError('BAD_IMAGE', `${name}: ${what} neither an image nor a tar archive`, {
    ...(unpack && { hint: `unpack it first: ${unpack}, then flatten DIR -o OUTPUT` }),
    cause,
  });
}

function headOf(range: ByteRange): string {
  const head = Buffer.alloc(Math.min(HEAD, range.length));
  for (let done = 0; done < head.length; ) {
    const read = readRange(range, head.subarray(done), done);
    if (read === 0) break;
    done += read;
  }
  return head.toString('latin1');
}

function textKind(head: string): Omit<ForeignKind, 'at' | 'magic'> | undefined {
  if (/^\s*[{[]/.test(head)) return { name: 'JSON' };
  return /^\s*<(!doctype|html|\?xml)/i.test(head) ? { name: 'a web page' } : undefined;
}
