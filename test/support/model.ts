/**
 * Overlayfs as plainly as it can be said: a map from paths to inodes. Slow, and written without a look at the engine,
 * to be its judge.
 */
import { type Row, sha256 } from './listing.js';
import type { Stack } from './stacks.js';
import type { Member } from './tar.js';

/** What the model says of a stack that breaks a rule. */
export class Refused extends Error {}

type Inode = Omit<Row, 'path' | 'group'>;
type Tree = Map<string, Inode>;

const IMPLIED: Inode = { kind: 'd', mode: 0o755, uid: 0, gid: 0, mtime: 0n, xattrs: new Map() };

/** The tree that a stack gives. Throws {@link Refused}. */
export function model(stack: Stack): Row[] {
  const tree: Tree = new Map([['', IMPLIED]]);
  for (const members of stack) apply(tree, new Layer(members, tree));
  const ids = new Map<Inode, string>();
  for (const inode of tree.values()) if (!ids.has(inode)) ids.set(inode, String(ids.size));
  return [...tree].map(([path, inode]) => ({
    ...inode,
    path: path || '.',
    ...(inode.kind !== 'd' && { group: ids.get(inode)! }),
  }));
}

function apply(tree: Tree, { tree: upper, implied, removed, opaque }: Layer): void {
  for (const path of removed) drop(tree, path);
  for (const path of opaque) dropBelow(tree, path);
  for (const path of [...upper.keys()].sort()) {
    const inode = upper.get(path)!;
    if (inode.kind === 'd' && tree.get(path)?.kind === 'd') {
      if (!implied.has(path)) tree.set(path, inode);
    } else {
      drop(tree, path);
      tree.set(path, inode);
    }
  }
}

function dropBelow(tree: Tree, path: string): void {
  for (const other of [...tree.keys()]) if (isBelow(other, path)) tree.delete(other);
}

function drop(tree: Tree, path: string): void {
  dropBelow(tree, path);
  tree.delete(path);
}

function isBelow(path: string, parent: string): boolean {
  return path !== parent && (parent === '' || path.startsWith(`${parent}/`));
}

function join(parent: string, name: string): string {
  return parent === '' ? name : `${parent}/${name}`;
}

/** The path of a link that went with its directory: its target must exist all the same. */
const NOWHERE = '\0';

/** One layer, read into maps of its own. */
class Layer {
  readonly tree: Tree = new Map([['', IMPLIED]]);
  readonly implied = new Set(['']);
  readonly removed: string[] = [];
  readonly opaque: string[] = [];
  /** Hard links without a target so far: path to target. */
  readonly #waiting = new Map<string, string>();
  readonly #lower: Tree;
  #lost = 0;

  constructor(members: readonly Member[], lower: Tree) {
    this.#lower = new Map(lower);
    for (const member of members) this.#add(member);
    while (this.#waiting.size > 0) this.#settleOne();
    this.#takeOverlay();
  }

  /** Devices 0:0 are removals, and what overlayfs keeps to itself goes. */
  #takeOverlay(): void {
    const shown = new Map<Inode, Inode>();
    for (const [path, inode] of [...this.tree]) {
      if (inode.kind === 'c' && inode.device === '0:0') {
        this.tree.delete(path);
        this.removed.push(path);
        continue;
      }
      const kept = [...inode.xattrs].filter(([name]) => !name.startsWith('trusted.overlay.'));
      if (kept.length === inode.xattrs.size) continue;
      if (!shown.has(inode)) shown.set(inode, { ...inode, xattrs: new Map(kept) });
      this.tree.set(path, shown.get(inode)!);
    }
  }

  #add(member: Member): void {
    const parts = member.path.split('/').filter((part) => part !== '' && part !== '.');
    const name = parts.pop();
    const parent = this.#parent(parts);
    if (name === undefined) this.#put('', inode(member));
    else if (name === '.wh..wh..opq') this.opaque.push(parent);
    else if (name.startsWith('.wh.')) this.removed.push(join(parent, name.slice(4)));
    else if (member.typeflag === '1') this.#link(join(parent, name), member.linkpath!);
    else this.#put(join(parent, name), inode(member));
  }

  #put(path: string, inode: Inode): void {
    this.#waiting.delete(path);
    if (inode.kind !== 'd' || this.tree.get(path)?.kind !== 'd') this.#drop(path);
    this.tree.set(path, inode);
    this.implied.delete(path);
    const isOpaque = inode.xattrs.get('trusted.overlay.opaque')?.toString() === 'y';
    if (inode.kind === 'd' && path !== '' && isOpaque) this.opaque.push(path);
  }

  #drop(path: string): void {
    drop(this.tree, path);
    for (const [other, target] of [...this.#waiting]) {
      if (!isBelow(other, path)) continue;
      this.#waiting.delete(other);
      this.#waiting.set(NOWHERE + this.#lost++, target);
    }
    const isGone = (marked: string) => isBelow(marked, path);
    this.opaque.splice(0, Infinity, ...this.opaque.filter((marked) => !isGone(marked) && marked !== path));
    this.removed.splice(0, Infinity, ...this.removed.filter((marked) => !isGone(marked)));
  }

  /** Where a parent is, once symlinks of this layer were followed; what is missing is implied. */
  #parent(parts: readonly string[], hops = 0): string {
    let here = '';
    for (const [at, part] of parts.entries()) {
      const path = join(here, part);
      const found = this.tree.get(path);
      if (part === '..') here = here.split('/').slice(0, -1).join('/');
      else if (found?.kind === 'l') {
        if (hops === 40) throw new Refused('a cycle of symlinks');
        const target = found.target!.split('/').filter((part) => part !== '');
        const base = found.target!.startsWith('/') ? [] : here.split('/').filter((part) => part !== '');
        return this.#parent([...base, ...target, ...parts.slice(at + 1)], hops + 1);
      } else {
        if (found?.kind !== 'd') {
          this.#put(path, IMPLIED);
          this.implied.add(path);
        }
        here = path;
      }
    }
    return here;
  }

  #link(path: string, target: string): void {
    const { place, found } = this.#target(target);
    if (place === path) throw new Refused('a link to itself');
    if (found?.kind === 'd') throw new Refused('a link to a directory');
    this.#drop(path);
    if (found === undefined) this.#waiting.set(path, target);
    else this.#put(path, found);
  }

  /** What a link's target is: on the merged view, else in the lower alone, unless a link that waits has that name. */
  #target(target: string): { place: string | undefined; found: Inode | undefined } {
    const view = this.#view();
    const place = placeOf(view, target);
    if (place !== undefined && this.#waiting.has(place)) return { place, found: undefined };
    const found = place === undefined ? undefined : view.get(place);
    return { place, found: found ?? find(this.#lower, target) };
  }

  /** The lower with this layer's names on it, nothing removed. */
  #view(): Tree {
    const view = new Map(this.#lower);
    for (const path of this.#waiting.keys()) drop(view, path);
    for (const path of [...this.tree.keys()].sort()) {
      const inode = this.tree.get(path)!;
      if (inode.kind !== 'd' || view.get(path)?.kind !== 'd') drop(view, path);
      view.set(path, inode);
    }
    return view;
  }

  /** Gives one waiting link its inode. */
  #settleOne(): void {
    for (const [path, target] of this.#waiting) {
      const { place, found } = this.#target(target);
      if (place !== undefined && this.#waiting.has(place)) continue;
      if (found === undefined || found.kind === 'd') throw new Refused('no target');
      this.#waiting.delete(path);
      if (!path.startsWith(NOWHERE)) this.tree.set(path, found);
      return;
    }
    throw new Refused('a circle of links');
  }
}

/** The path that a name leads to inside a tree, symlinks among its parents followed; undefined where it leads nowhere. */
function placeOf(tree: Tree, name: string, hops = 0): string | undefined {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  let here = '';
  for (const [at, part] of parts.entries()) {
    if (part === '..') {
      here = here.split('/').slice(0, -1).join('/');
      continue;
    }
    const path = join(here, part);
    if (at === parts.length - 1) return path;
    const found = tree.get(path);
    if (found?.kind === 'l' && hops < 40) {
      const rest = parts.slice(at + 1).join('/');
      const base = found.target!.startsWith('/') ? '' : here;
      return placeOf(tree, `${base}/${found.target}/${rest}`, hops + 1);
    }
    if (found?.kind !== 'd') return undefined;
    here = path;
  }
  return here;
}

function find(tree: Tree, name: string): Inode | undefined {
  const place = placeOf(tree, name);
  return place === undefined ? undefined : tree.get(place);
}

function inode({ typeflag = '0', body = Buffer.alloc(0), linkpath = '', ...member }: Member): Inode {
  const { mode = 0o644, uid = 0, gid = 0, mtime = 0n, xattrs = new Map() } = member;
  const common = { mode, uid, gid, mtime, xattrs };
  if (typeflag === '5') return { ...common, kind: 'd' };
  if (typeflag === '6') return { ...common, kind: 'p' };
  if (typeflag === '3') return { ...common, kind: 'c', device: `${member.major}:${member.minor}` };
  if (typeflag === '2') return { ...common, kind: 'l', target: linkpath };
  return { ...common, kind: 'f', size: body.length, sha256: sha256(body) };
}
