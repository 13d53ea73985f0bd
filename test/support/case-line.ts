import { longName, type Word } from './words.js';

/** What a line of a layer and a line of the tree have in common. */
export interface Line {
  readonly kind: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly path: string;
  /** Nanoseconds. */
  readonly mtime: bigint;
  /** After `->` or `=>`. */
  readonly target: string | undefined;
  /** `[major, minor]`. */
  readonly device: readonly [number, number] | undefined;
  readonly pieces: readonly Piece[];
  readonly xattrs: ReadonlyMap<string, Buffer>;
  /** `key=value` words that are no xattrs. */
  readonly attributes: ReadonlyMap<string, string>;
}

/** A run of a file's bytes, or a hole of so many. */
export type Piece = Buffer | number;

/** 2020-01-01, for entries that name no time. */
const USUAL_MTIME = 1_577_836_800n * 1_000_000_000n;

const XATTR = /^(user|trusted|security|system)\./;

/** `KIND [MODE] [UID:GID] PATH …`; what follows the path comes in any order. */
export function readEntry([kind, ...rest]: readonly Word[]): Line {
  const queue = [...rest];
  const take = (pattern: RegExp) =>
    queue[0] !== undefined && !queue[0].quoted && pattern.test(queue[0].text)
      ? queue.shift()!.text
      : undefined;
  const usual = kind!.text === 'd' ? '0755' : kind!.text === 'l' ? '0777' : '0644';
  const mode = Number.parseInt(take(/^[0-7]{4}$/) ?? usual, 8);
  const [uid, gid] = (take(/^\d+:\d+$/) ?? '0:0').split(':').map(Number);
  const path = queue.shift();
  if (path === undefined) throw new Error('a path is missing');
  return { kind: kind!.text, mode, uid: uid!, gid: gid!, path: longName(path), ...readRest(queue) };
}

function readRest(queue: readonly Word[]) {
  let mtime = USUAL_MTIME;
  let target: string | undefined;
  let device: readonly [number, number] | undefined;
  const pieces: Piece[] = [];
  const xattrs = new Map<string, Buffer>();
  const attributes = new Map<string, string>();
  for (let i = 0; i < queue.length; i++) {
    const { text, quoted } = queue[i]!;
    const repeat = /^(\d+)\*/.exec(text);
    const equals = text.indexOf('=');
    if (quoted) pieces.push(Buffer.from(text, 'latin1'));
    else if (text === '->' || text === '=>') target = longName(queue[++i]!);
    else if (text.startsWith('@')) mtime = nanoseconds(text.slice(1));
    else if (/^\d+:\d+$/.test(text)) device = text.split(':').map(Number) as [number, number];
    else if (text.startsWith('hole:')) pieces.push(Number(text.slice(5)));
    else if (repeat)
      pieces.push(Buffer.from(text.slice(repeat[0].length).repeat(Number(repeat[1])), 'latin1'));
    else if (equals < 1) throw new Error(`${text}: no such word; text needs quotes`);
    else if (XATTR.test(text))
      xattrs.set(text.slice(0, equals), Buffer.from(text.slice(equals + 1), 'latin1'));
    else attributes.set(text.slice(0, equals), text.slice(equals + 1));
  }
  return { mtime, target, device, pieces, xattrs, attributes };
}

function nanoseconds(text: string): bigint {
  const match = /^(-?)(\d+)(?:\.(\d{1,9}))?$/.exec(text);
  if (match === null) throw new Error(`@${text}: a time is @SECONDS or @SECONDS.FRACTION`);
  const size = BigInt(match[2]! + (match[3] ?? '').padEnd(9, '0'));
  return match[1] === '-' ? -size : size;
}
