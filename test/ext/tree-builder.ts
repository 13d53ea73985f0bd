import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type {
  Content,
  Directory,
  File,
  LayerFile,
  Metadata,
  Node,
  Rootfs,
  Segment,
} from '../../src/rootfs/node.js';
import { finish } from '../../src/rootfs/walk.js';
import { scratch } from '../support/scratch.js';

/** Builds a tree by hand, its content in a file of its own. */
export class TreeBuilder {
  readonly root: Directory;
  readonly layer: LayerFile;
  readonly #fd: number;
  #end = 0;

  constructor(t: Pick<TestContext, 'after'>) {
    this.#fd = openSync(join(scratch(t), 'layer'), 'wx+');
    t.after(() => closeSync(this.#fd));
    this.layer = { order: 1, file: this.#fd };
    this.root = { kind: 'directory', meta: meta({ mode: 0o755 }), nlink: 0, children: new Map() };
  }

  /** Stores bytes; the content starts at a multiple of 512, as in a tar. */
  store(
    bytes: Uint8Array,
    sparse?: { readonly size: number; readonly segments: readonly Segment[] },
  ): Content {
    const offset = Math.ceil(this.#end / 512) * 512;
    writeSync(this.#fd, bytes, 0, bytes.length, offset);
    this.#end = offset + bytes.length;
    return { layer: this.layer, offset, size: bytes.length, ...sparse };
  }

  /** Puts a node at a path, its parents made as needed; returns it. */
  put<T extends Node>(path: string, node: T): T {
    const names = path.split('/');
    let directory = this.root;
    for (const name of names.slice(0, -1)) {
      let next = directory.children.get(name);
      if (next === undefined) {
        next = { kind: 'directory', meta: meta({ mode: 0o755 }), nlink: 0, children: new Map() };
        directory.children.set(name, next);
      }
      if (next.kind !== 'directory') throw new Error(`${path}: ${name} is no directory`);
      directory = next;
    }
    directory.children.set(names.at(-1)!, node);
    return node;
  }

  file(path: string, bytes: string | Uint8Array, about: Partial<Metadata> = {}): File {
    return this.put(path, fileNode(this.store(Buffer.from(bytes)), about));
  }

  directory(path: string, about: Partial<Metadata> = {}): Directory {
    return this.put(path, {
      kind: 'directory',
      meta: meta({ mode: 0o755, ...about }),
      nlink: 0,
      children: new Map(),
    });
  }

  symlink(path: string, target: string, about: Partial<Metadata> = {}): Node {
    return this.put(path, { kind: 'symlink', meta: meta({ mode: 0o777, ...about }), nlink: 0, target });
  }

  device(path: string, kind: 'char' | 'block', major: number, minor: number): Node {
    return this.put(path, { kind, meta: meta(), nlink: 0, major, minor });
  }

  fifo(path: string): Node {
    return this.put(path, { kind: 'fifo', meta: meta(), nlink: 0 });
  }

  finish(): Rootfs {
    return finish(this.root);
  }
}

export function fileNode(content: Content, about: Partial<Metadata> = {}): File {
  return { kind: 'file', meta: meta(about), nlink: 0, content };
}

export function meta(about: Partial<Metadata> = {}): Metadata {
  return { mode: 0o644, uid: 0, gid: 0, mtime: 1_700_000_000_123_456_789n, xattrs: new Map(), ...about };
}
