import type { Directory, File, Node, Segment } from '../../rootfs/node.js';
import type { EntryType } from '../../tar/entry.js';
import { BLOCK } from '../../tar/header.js';
import { END, encodeMember } from '../../tar/write.js';
import { runBytes } from '../../tar/write-sparse.js';
import type { Member } from '../../tar/written-member.js';
import type { ArchiveForm, Encoding } from '../archive/chunks.js';

/** How a tree becomes a tar. */
export interface TreeOptions {
  /** Whether sparse files stay so (GNU.sparse 1.0). The OCI image spec advises against them in layers. */
  readonly sparse: boolean;
  /** Whether ACLs stand there as text too, for `tar --acls` and bsdtar; who unpacks layers takes xattrs. Default false. */
  readonly aclText?: boolean;
  /** Directories that get no entry of their own. */
  readonly implied?: ReadonlySet<Directory>;
  /** Xattrs that are left out. */
  readonly leavesOut?: (xattr: string) => boolean;
}

/**
 * How a tree stands in a tar. Names have no leading `./`, except that the root directory is `./`; a directory's ends in `/`.
 * The second name of an inode on is a hard link to the first.
 */
export class TarForm implements ArchiveForm {
  readonly alignment = BLOCK;
  readonly end = END;
  readonly #options: TreeOptions;
  readonly #firstNames = new Map<Node, string>();

  constructor(options: TreeOptions) {
    this.#options = options;
  }

  encode(path: string, node: Node): Encoding | undefined {
    if (node.kind === 'directory' && this.#options.implied?.has(node)) return undefined;
    const first = this.#firstNames.get(node);
    if (first !== undefined) return bare(this.#memberOf(path, node, { type: 'link', linkpath: first }));
    if (node.nlink > 1 && node.kind !== 'directory') this.#firstNames.set(node, path);
    return node.kind === 'file' ? this.#file(path, node) : bare(this.#memberOf(path, node));
  }

  /** Most members have no xattrs, and nothing to choose. */
  #memberOf(path: string, node: Node, over?: Overrides): Member {
    const member = memberOf(path, node, over);
    if (member.xattrs.size === 0) return member;
    const { aclText = false, leavesOut } = this.#options;
    const xattrs = leavesOut && new Map([...member.xattrs].filter(([name]) => !leavesOut(name)));
    return { ...member, hasAclText: aclText, ...(xattrs && { xattrs }) };
  }

  #file(path: string, node: File): Encoding {
    const { content } = node;
    const { layer, offset, size, segments } = content;
    const sparse = this.#options.sparse ? segments : undefined;
    const { header, runs } = encodeMember(this.#memberOf(path, node, { size, segments: sparse }));
    if (runs === undefined)
      return { header, parts: [{ content, start: 0, length: size }], stored: size, size };
    const stored = runBytes(runs);
    // Runs that were on blocks already lie in the layer file as they shall lie here.
    const asStored = stored === runBytes(segments!);
    const parts = asStored
      ? [{ content: { layer, offset, size: stored }, start: 0, length: stored }]
      : runs.map(({ start, length }) => ({ content, start, length }));
    return { header, parts, stored, size };
  }
}

/** A member without a body. */
function bare(member: Member): Encoding {
  return { header: encodeMember(member).header, parts: [], stored: 0, size: 0 };
}

/** What a member says that its node alone does not. */
interface Overrides {
  readonly type?: EntryType;
  readonly linkpath?: string;
  readonly size?: number;
  readonly segments?: readonly Segment[] | undefined;
}

/** What the tar says of a node. Field by field, since to spread `meta` takes longer than all the rest of a header. */
function memberOf(path: string, node: Node, over: Overrides = {}): Member {
  const { meta, kind } = node;
  return {
    path: kind === 'directory' ? (path === '' ? './' : `${path}/`) : path,
    type: over.type ?? kind,
    linkpath: over.linkpath ?? (kind === 'symlink' ? node.target : ''),
    mode: meta.mode,
    uid: meta.uid,
    gid: meta.gid,
    mtime: meta.mtime,
    xattrs: meta.xattrs,
    size: over.size ?? 0,
    major: kind === 'char' || kind === 'block' ? node.major : 0,
    minor: kind === 'char' || kind === 'block' ? node.minor : 0,
    segments: over.segments,
  };
}
