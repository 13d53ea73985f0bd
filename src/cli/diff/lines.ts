import { printable } from '../../errors.js';
import type { ConfigChange } from '../../inspect/diff/config.js';
import { type Aspect, differingXattrs } from '../../rootfs/compare.js';
import { showDate } from '../../rootfs/date.js';
import type { Node } from '../../rootfs/node.js';
import { countText } from '../../size-text.js';
import type { Entry } from '../../tree.js';
import { showSize } from '../numbers.js';
import type { Folded } from './fold.js';

/** The letters of a line, in their places, and what each stands for. */
const LETTERS: readonly (readonly [letter: string, ...aspects: Aspect[]])[] = [
  ['c', 'content', 'target', 'device'],
  ['m', 'mode'],
  ['o', 'owner'],
  ['t', 'mtime'],
  ['x', 'xattr'],
  ['l', 'links'],
];

/** The most characters of a value of a config that are shown. */
const MAX_VALUE = 120;

/** A change as one line, without its end: `M c..t..  etc/motd  100 B -> 120 B, …`. */
export function changeLine({ change, names, bytes }: Folded): string {
  const { before, after, aspects } = change;
  const below =
    names === 0 ? [] : [`${countText(names)} ${names === 1 ? 'name' : 'names'} below it, ${showSize(bytes)}`];
  if (before === undefined) return line('+', '', shown(after!), [...contentOf(after!), ...below]);
  if (after === undefined) return line('-', '', shown(before), [...contentOf(before), ...below]);
  const letters = LETTERS.map(([letter, ...meant]) =>
    meant.some((each) => aspects.includes(each)) ? letter : '.',
  );
  const details = aspects.map((aspect) => detail(aspect, before, after));
  if (change.change === 'renamed')
    return line('R', letters.join(''), `${shown(before)} -> ${shown(after)}`, details);
  const kind = aspects.includes('type') ? 'T' : 'M';
  return line(kind, letters.join(''), shown(after), [...details, ...below]);
}

/** A change of the config as one line, without its end. */
export function configLine({ field, key, before, after }: ConfigChange): string {
  const value = (json: unknown) => {
    const text = printable(Buffer.from(JSON.stringify(json)).toString('latin1'));
    return text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE)}…` : text;
  };
  const name = printable(
    Buffer.from([field, ...(key === undefined ? [] : [key])].join(' ')).toString('latin1'),
  );
  if (before === undefined) return line('C', '', name, [`added: ${value(after)}`]);
  if (after === undefined) return line('C', '', name, [`removed: ${value(before)}`]);
  return line('C', '', name, [`${value(before)} -> ${value(after)}`]);
}

function line(kind: string, letters: string, name: string, details: readonly string[]): string {
  return `${kind} ${letters.padEnd(LETTERS.length)}  ${name}${details.length > 0 ? `  ${details.join(', ')}` : ''}`;
}

/** An entry's path for a terminal. */
export function shown(entry: Entry): string {
  const path = printable(entry.bytes.toString('latin1')) || '.';
  return entry.kind === 'directory' ? `${path}/` : path;
}

function contentOf(entry: Entry): string[] {
  const { node } = entry;
  if (node.kind === 'file') return [showSize(entry.size)];
  if (node.kind === 'directory') return [];
  return [node.kind === 'symlink' ? `symlink to ${printable(node.target)}` : nodeText(node)];
}

function nodeText(node: Node): string {
  return 'major' in node ? `${node.kind} ${node.major}:${node.minor}` : node.kind;
}

function detail(aspect: Aspect, { node: a, size: from }: Entry, { node: b, size: to }: Entry): string {
  switch (aspect) {
    case 'type':
      return `${nodeText(a)} -> ${nodeText(b)}`;
    case 'content':
      return from === to ? `other content of ${showSize(to)}` : `${showSize(from)} -> ${showSize(to)}`;
    case 'target':
      return a.kind === 'symlink' && b.kind === 'symlink'
        ? `target ${printable(a.target)} -> ${printable(b.target)}`
        : '';
    case 'device':
      return `${nodeText(a)} -> ${nodeText(b)}`;
    case 'mode':
      return `mode ${octal(a)} -> ${octal(b)}`;
    case 'owner':
      return `owner ${a.meta.uid}:${a.meta.gid} -> ${b.meta.uid}:${b.meta.gid}`;
    case 'mtime':
      return `mtime ${showDate(a.meta.mtime)} -> ${showDate(b.meta.mtime)}`;
    case 'xattr':
      return differingXattrs(a.meta, b.meta)
        .map((name) => `xattr ${printable(name)} ${verb(name, a, b)}`)
        .join(', ');
    case 'links':
      return a.nlink === b.nlink ? 'hard links under other names' : `${a.nlink} -> ${b.nlink} links`;
  }
}

function verb(name: string, { meta: a }: Node, { meta: b }: Node): string {
  if (!a.xattrs.has(name)) return 'added';
  return b.xattrs.has(name) ? 'changed' : 'removed';
}

/** A mode as `chmod` takes it. */
export function octal({ meta }: Node): string {
  return meta.mode.toString(8).padStart(4, '0');
}
