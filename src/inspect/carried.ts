import type { Content, File } from '../rootfs/node.js';
import { holesIn } from '../rootfs/walk.js';
import type { Touch } from './touch.js';

/** A file's bytes as a layer carries them. */
export interface Carried {
  readonly file: File;
  /** The layer, counted from 1. */
  readonly layer: number;
  /** The name that it came with; latin1. */
  readonly path: string;
  /** Bytes that are stored: holes of sparse files are not. */
  readonly bytes: number;
  /** The last time that one of its names was taken away, and which. */
  taken?: { readonly touch: Touch; readonly path: string };
}

/** Bytes that a layer carries in vain: for another entry of the same layer, or with a marker that is never shown. */
export interface Lost {
  readonly layer: number;
  /** As the layer has it; latin1. */
  readonly path: string;
  readonly bytes: number;
}

/** The bytes of a file that a layer stores. */
export function storedBytes(content: Pick<Content, 'size' | 'segments'>): number {
  return content.segments === undefined ? content.size : content.size - holesIn(content);
}
