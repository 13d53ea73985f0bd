import { type ContentRows, RowBuilder } from '../../disk/content/rows.js';
import { blocksIn, wholeRun } from '../../disk/runs.js';
import type { Directory, File, Node, Symlink } from '../../rootfs/node.js';
import { isFast } from '../census.js';
import type { ImagePlan } from '../image-plan.js';
import { MAX_LINKS } from '../limits.js';
import { encodeDevice } from '../structures/device.js';
import type { Extent } from '../structures/extent.js';
import { BLOCK, FIRST_INODE, ROOT_INODE } from '../structures/features.js';
import { encodeInode, FLAG, FORMAT, MAP_AT, MAP_SIZE } from '../structures/inode.js';
import { encodeTime } from '../structures/time.js';
import { writeInodeXattrs, writeXattrBlock } from '../structures/xattr.js';
import { placeXattrs } from '../xattrs.js';
import { Area, blockNumbers, place } from './area.js';
import { type BlockMapper, blockMapper } from './block-map.js';
import { writeDirectory } from './directories.js';
import type { Formatted } from './formatted.js';
import { InodeTable } from './inode-table.js';
import { type Region, Space } from './space.js';

const SECTORS = BLOCK / 512;

/** What an inode says of its content. */
interface Body {
  readonly size: number;
  /** Content and map. */
  readonly blocks: number;
  readonly flags: number;
}

const NO_BODY: Body = { size: 0, blocks: 0, flags: 0 };

/**
 * Writes inodes in the order of their numbers, and all blocks that belong to them but files' content, which it only
 * places.
 */
export class InodeWriter {
  readonly #plan: ImagePlan;
  readonly #table: InodeTable;
  readonly #mapper: BlockMapper;
  readonly #directories: Area;
  readonly #attributes: Area;
  readonly #maps: Area;
  readonly #files: Region;
  readonly #rows = new RowBuilder();
  readonly #parents: Uint32Array;
  readonly #xattrBlocks: Uint32Array;
  /** `i_block` of the inode that is being written. */
  readonly #map = Buffer.alloc(MAP_SIZE);

  constructor(fd: number, plan: ImagePlan, formatted: Formatted) {
    const { demand } = plan.census;
    const space = new Space(formatted.bitmap);
    this.#plan = plan;
    this.#mapper = blockMapper(plan.geometry.format);
    this.#directories = new Area(fd, space.region(demand.directoryBlocks));
    this.#attributes = new Area(fd, space.region(demand.symlinkBlocks + demand.xattrBlocks));
    this.#maps = new Area(fd, space.region(demand.mapBlocks + plan.geometry.cutBlocks));
    this.#files = space.region(demand.fileBlocks);
    this.#table = new InodeTable(fd, plan.geometry, formatted.descriptors);
    this.#parents = new Uint32Array(FIRST_INODE + plan.tree.directories);
    this.#xattrBlocks = new Uint32Array(demand.xattrBlocks);
  }

  /** The next inode, as it is. */
  writeReserved(raw: Buffer): void {
    raw.copy(this.#table.next());
  }

  writeRoot(): void {
    this.#parents[ROOT_INODE] = ROOT_INODE;
    this.write(this.#plan.tree.root, ROOT_INODE);
  }

  /** The next inode, and its blocks. */
  write(node: Node, number: number): void {
    this.#map.fill(0);
    const body = this.#body(node, number);
    const placed = placeXattrs(node.meta.xattrs)!;
    const xattrBlock = this.#xattrBlock(number);
    const blocks = body.blocks + (xattrBlock === 0 ? 0 : 1);
    const { mode, uid, gid, mtime } = node.meta;
    const inode = this.#table.next();
    encodeInode(inode, {
      mode: FORMAT[node.kind] | mode,
      uid,
      gid,
      size: body.size,
      time: encodeTime(mtime),
      links: node.kind === 'directory' && node.nlink > MAX_LINKS ? 1 : node.nlink,
      sectors: blocks * SECTORS,
      flags: body.flags,
      xattrBlock,
    });
    this.#map.copy(inode, MAP_AT);
    if (placed.inInode.length > 0) writeInodeXattrs(inode, placed.inInode);
  }

  /** Writes what is still in memory; returns the content, which is still to be copied. */
  finish(): ContentRows {
    for (const area of [this.#directories, this.#attributes, this.#maps, this.#table]) area.flush();
    return this.#rows.finish();
  }

  #body(node: Node, number: number): Body {
    switch (node.kind) {
      case 'directory':
        return this.#directory(node, number);
      case 'file':
        return this.#file(node);
      case 'symlink':
        return this.#symlink(node);
      case 'fifo':
        return NO_BODY;
      default:
        encodeDevice(node.major, node.minor).forEach((word, i) => {
          this.#map.writeUInt32LE(word, i * 4);
        });
        return NO_BODY;
    }
  }

  #directory(directory: Directory, self: number): Body {
    const { tree, census, seed } = this.#plan;
    const blocks = census.directoryBlocks(self);
    const extents = place(wholeRun(blocks), this.#directories.region);
    const numbers = blockNumbers(extents);
    for (const child of directory.children.values()) {
      if (child.kind === 'directory') this.#parents[tree.numberOf(child)] = self;
    }
    const of = { directory, self, parent: this.#parents[self]!, numberOf: tree.numberOf };
    writeDirectory(of, seed, () => this.#directories.block(numbers.next().value));
    return this.#mapped(extents, blocks * BLOCK, blocks, blocks > 1 ? FLAG.indexed : 0);
  }

  #file(file: File): Body {
    const runs = this.#plan.runsOf(file);
    const extents = place(runs, this.#files);
    this.#rows.addFile(file.content, extents);
    return this.#mapped(extents, file.content.size, blocksIn(runs), 0);
  }

  #symlink({ target }: Symlink): Body {
    if (isFast(target)) {
      this.#map.write(target, 'latin1');
      return { size: target.length, blocks: 0, flags: 0 };
    }
    const physical = this.#attributes.add((block) => block.write(target, 'latin1'));
    return this.#mapped([{ logical: 0, physical, count: 1 }], target.length, 1, 0);
  }

  #mapped(extents: readonly Extent[], size: number, blocks: number, flags: number): Body {
    const maps = this.#mapper.write(this.#map, extents, (fill) => this.#maps.add(fill));
    return { size, blocks: blocks + maps, flags: flags | this.#mapper.flags };
  }

  /** The block of the inode's xattrs, written when its first user comes by; 0 for none. */
  #xattrBlock(number: number): number {
    const { xattrs } = this.#plan.census;
    const index = xattrs.indexOf(number);
    if (index === undefined) return 0;
    if (this.#xattrBlocks[index] === 0) {
      const { xattrs: stored, sharers } = xattrs.blocks[index]!;
      this.#xattrBlocks[index] = this.#attributes.add((block) => writeXattrBlock(block, stored, sharers));
    }
    return this.#xattrBlocks[index]!;
  }
}
