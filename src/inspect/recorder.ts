import type { OpenLayer } from '../layer/layer.js';
import type { LoadObserver } from '../load-tree.js';
import { sameMetadata } from '../rootfs/diff.js';
import type { Upper } from '../rootfs/merge.js';
import type { Directory, File, Metadata, Node } from '../rootfs/node.js';
import { components } from '../rootfs/path.js';
import type { TarEntry } from '../tar/entry.js';
import { type Carried, type Lost, storedBytes } from './carried.js';
import type { Touch } from './touch.js';
import { childOf, type Trace, Traces } from './trace.js';

/** Names, and the stored bytes of the files among them. */
export interface Sum {
  names: number;
  bytes: number;
}

/** What was counted of a layer. */
export interface LayerCounts {
  /** Bytes of its tar, without compression; 0 for a directory of this machine. */
  unpacked: number;
  entries: number;
  /** Bytes of its files, without holes. */
  bytes: number;
  readonly added: Sum;
  /** Names that it gives to another inode, and directories that it describes in another way. */
  readonly changed: Sum;
  /** Names that it takes away, with all below them; the bytes are those of inodes that lose a name. */
  readonly removed: Sum;
}

/** Records what the layers of an image do to each path, while they are merged. It decides nothing: the merge does, and tells. */
export class Recorder implements LoadObserver {
  readonly traces = new Traces();
  readonly layers: LayerCounts[] = [];
  readonly lost: Lost[] = [];
  /** Every file inode with stored bytes that a layer has brought. */
  readonly carried = new Map<File, Carried>();
  #implied: ReadonlySet<Directory> = new Set();
  /** Files of the layer that no inode holds so far: where their bytes begin, and the name as written. */
  readonly #waiting = new Map<number, { readonly path: string; readonly bytes: number }>();
  /** Names that the layer's hard links have, as far as they are known by what is written. */
  readonly #links = new Set<string>();

  layer(open: OpenLayer): void {
    this.#settle();
    const sum = () => ({ names: 0, bytes: 0 });
    this.layers.push({
      unpacked: open.size,
      entries: 0,
      bytes: 0,
      added: sum(),
      changed: sum(),
      removed: sum(),
    });
  }

  entry(entry: TarEntry): void {
    const { type, path, offset, size } = entry;
    const counts = this.#counts;
    counts.entries++;
    if (type === 'link') this.#links.add(components(path).join('/'));
    else if (this.#links.size > 0) this.#links.delete(components(path).join('/'));
    const bytes = type === 'file' && size > 0 ? storedBytes(entry) : 0;
    if (bytes === 0) return;
    counts.bytes += bytes;
    this.#waiting.set(offset, { path, bytes });
  }

  merging({ implied }: Upper): void {
    this.#implied = implied;
  }

  described(path: string, before: Metadata, meta: Metadata): void {
    const { touches } = this.traces.at(path);
    const isNew = touches.length === 0; // the root, which is there before any layer
    this.#sum(isNew ? 'added' : sameMetadata(before, meta) ? undefined : 'changed', 0);
    const told = isNew ? { act: 'added' as const } : { act: 'described' as const, rule: 11, before };
    touches.push({ layer: this.#number, ...told, meta, at: path });
  }

  removed(path: string, node: Node | undefined, by: 'whiteout' | 'opaque'): void {
    const at = by === 'opaque' ? path.slice(0, Math.max(0, path.lastIndexOf('/'))) : path;
    const usual = by === 'whiteout' ? 8 : 9;
    const touch = { layer: this.#number, act: by, rule: this.#number === 1 ? 12 : usual, at };
    if (node === undefined) this.traces.at(path).touches.push(touch);
    else this.#hide(path, node, touch);
  }

  put(path: string, node: Node, existing: Node | undefined): void {
    if (existing?.kind === 'directory') {
      const covered = { layer: this.#number, act: 'covered', rule: 11, at: path } as const;
      for (const [name, below] of existing.children) this.#hide(`${path}/${name}`, below, covered);
    }
    const told = existing
      ? ({ act: 'replaced', rule: 11, hid: existing } as const)
      : ({ act: 'added' } as const);
    const touch = this.#place(this.traces.at(path), path, node, told);
    if (existing) this.#take(existing, path, touch);
    if (node.kind === 'directory') this.#placeBelow(path, node);
  }

  /** To be called when the last layer is merged. */
  end(): void {
    this.#settle();
  }

  get #number(): number {
    return this.layers.length;
  }

  get #counts(): LayerCounts {
    return this.layers[this.layers.length - 1]!;
  }

  /** What no name of the layer holds was for nothing. */
  #settle(): void {
    for (const { path, bytes } of this.#waiting.values())
      this.lost.push({ layer: this.#number, path, bytes });
    this.#waiting.clear();
    this.#links.clear();
  }

  #sum(what: 'added' | 'changed' | 'removed' | undefined, bytes: number): void {
    if (what === undefined) return;
    const sum = this.#counts[what];
    sum.names++;
    sum.bytes += bytes;
  }

  #place(trace: Trace, path: string, node: Node, told: Pick<Touch, 'act' | 'rule' | 'hid'>): Touch {
    const carried = node.kind === 'file' ? this.#carry(path, node) : undefined;
    const isOld = carried !== undefined && carried.layer < this.#number;
    const isLink = isOld || this.#links.has(path);
    const isImplied = node.kind === 'directory' && this.#implied.has(node);
    const rule = told.rule ?? (isLink ? 5 : isImplied ? 3 : undefined);
    const touch = {
      layer: this.#number,
      ...told,
      ...(rule !== undefined && { rule }),
      node,
      meta: node.meta,
      ...(isLink && { isLink }),
      ...(isImplied && { isImplied }),
      at: path,
    };
    trace.touches.push(touch);
    const isFirst = carried?.path === path && carried.layer === this.#number;
    this.#sum(told.act === 'added' ? 'added' : 'changed', isFirst ? carried.bytes : 0);
    return touch;
  }

  /** All below a directory that is new as a whole. */
  #placeBelow(path: string, directory: Directory): void {
    const told = { act: 'added' } as const;
    const stack: [string, Directory, Trace][] = [[path, directory, this.traces.at(path)]];
    for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
      const [prefix, { children }, trace] = top;
      for (const [name, node] of children) {
        const below = `${prefix}/${name}`;
        const child = childOf(trace, name);
        this.#place(child, below, node, told);
        if (node.kind === 'directory') stack.push([below, node, child]);
      }
    }
  }

  /** The bytes of a file that a layer brings; undefined where it has none. */
  #carry(path: string, file: File): Carried | undefined {
    const known = this.carried.get(file);
    if (known !== undefined) return known;
    const bytes = storedBytes(file.content);
    if (bytes === 0) return undefined;
    const carried = { file, layer: this.#number, path, bytes };
    this.carried.set(file, carried);
    this.#waiting.delete(file.content.offset);
    return carried;
  }

  /** A name goes, with all that is below it. */
  #hide(path: string, node: Node, told: Omit<Touch, 'hid'>): void {
    const stack: [string, Node, Trace][] = [[path, node, this.traces.at(path)]];
    for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
      const [gone, hid, trace] = top;
      const touch = { ...told, hid };
      trace.touches.push(touch);
      this.#sum('removed', this.#take(hid, gone, touch));
      if (hid.kind !== 'directory') continue;
      for (const [name, child] of hid.children) stack.push([`${gone}/${name}`, child, childOf(trace, name)]);
    }
  }

  /** An inode loses a name; gives its bytes. */
  #take(node: Node, path: string, touch: Touch): number {
    const carried = node.kind === 'file' ? this.carried.get(node) : undefined;
    if (carried === undefined) return 0;
    carried.taken = { touch, path };
    return carried.bytes;
  }
}
