/**
 * POSIX ACLs: what getxattr gives and what lies on the disk differ.
 * Source: Linux, include/uapi/linux/posix_acl_xattr.h and fs/ext4/acl.h.
 */
const CALL_VERSION = 2;
const DISK_VERSION = 1;
const HEADER = 4;
const CALL_ENTRY = 8;
const NO_ID = 0xffffffff;
const USER = 0x02;
const GROUP = 0x08;
const TAGS = new Set([0x01, USER, 0x04, GROUP, 0x10, 0x20]);

const isNamed = (tag: number) => tag === USER || tag === GROUP;

/** The on-disk form of what the system call takes; `undefined` if that is no ACL. */
export function aclToDisk(call: Buffer): Buffer | undefined {
  if (call.length < HEADER || call.readUInt32LE(0) !== CALL_VERSION) return undefined;
  if ((call.length - HEADER) % CALL_ENTRY !== 0) return undefined;
  const parts: Buffer[] = [Buffer.of(DISK_VERSION, 0, 0, 0)];
  for (let at = HEADER; at < call.length; at += CALL_ENTRY) {
    const tag = call.readUInt16LE(at);
    if (!TAGS.has(tag)) return undefined;
    parts.push(call.subarray(at, at + (isNamed(tag) ? 8 : 4)));
  }
  return Buffer.concat(parts);
}

/** The form of the system call of what lies on the disk; `undefined` if that is no ACL. */
export function aclFromDisk(disk: Buffer): Buffer | undefined {
  if (disk.length < HEADER || disk.readUInt32LE(0) !== DISK_VERSION) return undefined;
  const header = Buffer.alloc(HEADER);
  header.writeUInt32LE(CALL_VERSION);
  const parts: Buffer[] = [header];
  for (let at = HEADER; at < disk.length; ) {
    if (at + 4 > disk.length) return undefined;
    const tag = disk.readUInt16LE(at);
    const length = isNamed(tag) ? 8 : 4;
    if (!TAGS.has(tag) || at + length > disk.length) return undefined;
    const entry = Buffer.alloc(CALL_ENTRY);
    entry.writeUInt32LE(NO_ID, 4);
    disk.copy(entry, 0, at, at + length);
    parts.push(entry);
    at += length;
  }
  return Buffer.concat(parts);
}
