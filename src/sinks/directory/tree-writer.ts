import { chmodSync, linkSync, mkdirSync, symlinkSync } from 'node:fs';
import type { Libc } from '../../host/libc.js';
import type { Losses } from '../../losses.js';
import type { Directory, Node, Rootfs } from '../../rootfs/node.js';
import { Attributes } from './attributes.js';
import { inPath } from './failure.js';
import type { FilePool } from './file-pool.js';
import { packFiles } from './file-table.js';
import { Owners } from './owners.js';
import type { Pace } from './pace.js';
import { Paths } from './paths.js';
import { type Link, type Named, type Plan, planTree } from './plan.js';
import { type Host, probe } from './probe.js';
import { Setuid } from './setuid.js';
import { makeSpecial, makeSpecialsByCommands, type Special } from './specials.js';
import { countTimeLosses, span } from './time-losses.js';
import { Clock } from './times.js';
import { type Marked, restoreXattrs } from './xattr-commands.js';
import { setXattrs } from './xattrs.js';

/** What a run has to work with. */
export interface Means {
  readonly libc: Libc | undefined;
  readonly strict: boolean;
  readonly keepSetuid?: boolean;
  readonly losses: Losses;
  readonly pool: FilePool;
  readonly pace: Pace;
}

/**
 * Writes a tree into `root`, the host path of an empty directory that passes nothing on. The order keeps it safe and
 * exact: directories with mode 0700, files, devices, hard links, and only then symlinks, so that none can redirect a
 * write; then xattrs; then what directories are to have, the deepest first.
 */
export async function writeTree(rootfs: Rootfs, root: string, means: Means): Promise<void> {
  const plan = planTree(rootfs.root, root);
  const clock = new Clock(means.libc);
  const host = probe(root, span(plan), clock);
  countTimeLosses(plan, root, host, means.losses);
  await new TreeWriter(plan, root, host, clock, means).write();
}

class TreeWriter {
  readonly #plan: Plan;
  readonly #root: string;
  readonly #host: Host;
  readonly #means: Means;
  readonly #paths: Paths;
  readonly #targets: Paths;
  /** For commands, which run later. */
  readonly #plain: Paths;
  readonly #attributes: Attributes;
  /** What could not be made. */
  readonly #lost = new Set<Node>();
  /** The image path that was worked on last, for errors and losses. */
  readonly #inImage = () => this.#paths.inImage();

  constructor(plan: Plan, root: string, host: Host, clock: Clock, means: Means) {
    this.#plan = plan;
    this.#root = root;
    this.#host = host;
    this.#means = means;
    this.#paths = new Paths(root, plan.table, { isAnchored: true });
    this.#targets = new Paths(root, plan.table, { isAnchored: true });
    this.#plain = new Paths(root, plan.table);
    const { losses, keepSetuid = false } = means;
    const setuid = new Setuid(keepSetuid, losses);
    this.#attributes = new Attributes(new Owners(host.born, losses), setuid, clock, losses);
  }

  async write(): Promise<void> {
    try {
      await this.#writeAll();
    } finally {
      this.#paths.close();
      this.#targets.close();
    }
  }

  async #writeAll(): Promise<void> {
    await this.#makeDirectories();
    await this.#writeFiles();
    await this.#makeSpecials();
    await this.#link(({ node }) => node.kind !== 'symlink');
    await this.#makeSymlinks();
    await this.#link(({ node }) => node.kind === 'symlink');
    if (this.#means.libc === undefined) await this.#restoreXattrs();
    else await this.#setXattrs(this.#means.libc);
    await this.#finishDirectories();
  }

  async #makeDirectories(): Promise<void> {
    await this.#each(this.#plan.directories.keys(), (number) => {
      if (number > 0) mkdirSync(this.#paths.ofDirectory(number), 0o700);
    });
  }

  async #writeFiles(): Promise<void> {
    const { pool, libc, strict, losses, keepSetuid = false } = this.#means;
    const files = packFiles(this.#plan.files);
    const { born } = this.#host;
    const job = { files, directories: this.#plan.table, root: this.#root, born, keepSetuid };
    await pool.write(job, libc, strict, losses);
  }

  async #makeSpecials(): Promise<void> {
    const { libc } = this.#means;
    const refuse = ({ path, node }: Special, reason: string) => {
      this.#lost.add(node);
      this.#means.losses.add(lossOf(node), path, reason);
    };
    if (libc === undefined) {
      const specials = this.#plan.specials.map(({ directory, name, node }) => {
        const host = Buffer.from(this.#plain.of(directory, name));
        return { host, path: this.#plain.inImage(), node };
      });
      for (const [special, reason] of await makeSpecialsByCommands(specials)) refuse(special, reason);
    }
    await this.#each(this.#plan.specials, ({ directory, name, node }) => {
      const path = this.#paths.of(directory, name);
      if (libc) {
        const made = { host: path, path: '', node };
        const reason = makeSpecial(made, libc);
        if (reason !== undefined) refuse({ ...made, path: this.#inImage() }, reason);
      }
      if (this.#lost.has(node)) return;
      this.#attributes.owner(path, node.meta, this.#inImage);
      if (node.meta.xattrs.size === 0) this.#attributes.mode(path, node.meta, this.#inImage);
      this.#attributes.times(path, node.meta, this.#inImage);
    });
  }

  async #link(wanted: (link: Link) => boolean): Promise<void> {
    await this.#each(this.#plan.links.filter(wanted), ({ directory, name, node, first }) => {
      const path = this.#paths.of(directory, name);
      if (this.#lost.has(node))
        this.#means.losses.add(lossOf(node), this.#inImage(), 'the first name is missing');
      else linkSync(this.#targets.of(first.directory, first.name), path);
    });
  }

  async #makeSymlinks(): Promise<void> {
    await this.#each(this.#plan.symlinks, ({ directory, name, node }) => {
      const path = this.#paths.of(directory, name);
      symlinkSync(Buffer.from(node.target, 'latin1'), path);
      this.#attributes.owner(path, node.meta, this.#inImage);
      this.#attributes.times(path, node.meta, this.#inImage);
    });
  }

  /** Of everything but directories. Their modes had to wait for it. */
  async #setXattrs(libc: Libc): Promise<void> {
    await this.#each(this.#marked(), ({ directory, name, node }) => {
      const path = this.#paths.of(directory, name);
      setXattrs(libc, path, node.meta.xattrs, this.#inImage, this.#means.losses);
      this.#lateMode(path, node);
    });
  }

  /** Of everything, in one go. */
  async #restoreXattrs(): Promise<void> {
    const marked = [...this.#marked()];
    const directories = [...this.#plan.directories.entries()].filter(([, { meta }]) => meta.xattrs.size > 0);
    const all: Marked[] = marked.map(({ directory, name, node }) => {
      const host = Buffer.from(this.#plain.of(directory, name));
      return { host, path: this.#plain.inImage(), xattrs: node.meta.xattrs };
    });
    for (const [number, { meta }] of directories.reverse()) {
      const host = Buffer.from(this.#plain.ofDirectory(number));
      all.push({ host, path: this.#plain.inImage(), xattrs: meta.xattrs });
    }
    if (all.length > 0) await restoreXattrs(all, this.#root, this.#means.losses);
    // An ACL may have locked us out of a directory that there is still work in.
    for (const [number] of directories.reverse()) chmodSync(this.#paths.ofDirectory(number), 0o700);
    await this.#each(marked, ({ directory, name, node }) => {
      this.#lateMode(this.#paths.of(directory, name), node);
    });
  }

  #lateMode(path: Buffer, { kind, meta }: Node): void {
    if (kind === 'file') this.#attributes.fileMode(path, meta, this.#inImage);
    else if (kind !== 'symlink') this.#attributes.mode(path, meta, this.#inImage);
  }

  *#marked(): Generator<Named> {
    for (const list of [this.#plan.files, this.#plan.specials, this.#plan.symlinks]) {
      for (const named of list) {
        if (named.node.meta.xattrs.size > 0 && !this.#lost.has(named.node)) yield named;
      }
    }
  }

  /** The deepest first: a directory may take away our way to what lies in it, and changes in it would touch its mtime. */
  async #finishDirectories(): Promise<void> {
    const { libc, losses } = this.#means;
    const { directories } = this.#plan;
    await this.#each(countdown(directories), ([number, { meta }]) => {
      const path = this.#paths.ofDirectory(number);
      if (libc !== undefined) setXattrs(libc, path, meta.xattrs, this.#inImage, losses);
      this.#attributes.owner(path, meta, this.#inImage);
      this.#attributes.mode(path, meta, this.#inImage);
      this.#attributes.times(path, meta, this.#inImage);
    });
  }

  async #each<T>(items: Iterable<T>, act: (item: T) => void): Promise<void> {
    for (const item of items) {
      try {
        act(item);
      } catch (error) {
        throw inPath(error, this.#inImage());
      }
      if (this.#means.pace.due()) await this.#means.pace.rest();
    }
  }
}

function lossOf(node: Node): string {
  return node.kind === 'fifo' ? 'fifo' : 'device';
}

function* countdown(directories: readonly Directory[]): Generator<[number, Directory]> {
  for (let i = directories.length - 1; i >= 0; i--) yield [i, directories[i]!];
}
