import { printable } from '../../errors.js';
import { ContentReader } from '../../layer/content.js';
import type { Entry } from '../../tree.js';

/** Files of more bytes are not compared line by line: nobody reads that, and it takes long. */
const MAX_BYTES = 1 << 20;
/** Lines that may come and go between two files; the memory that it takes to find them grows with the square of it. */
const MAX_EDITS = 2000;

/**
 * How two text files differ, as `diff -u` and `git diff` write it, with an end of line; one sentence where they are no text, too large, or too
 * different. Throws what reading throws.
 */
export async function unified(
  before: Entry,
  after: Entry,
  { isTerminal }: { readonly isTerminal: boolean },
): Promise<string> {
  const names = [`a/${shown(before)}`, `b/${shown(after)}`] as const;
  const sentence = (what: string) => `${what}: ${names.join(' and ')}\n`;
  if (Math.max(before.size, after.size) > MAX_BYTES)
    return sentence(`More than ${MAX_BYTES >> 20} MiB, not compared by lines`);
  const [left, right] = [textOf(before), textOf(after)];
  if (left === undefined || right === undefined) return sentence('Binary files differ');
  const { createTwoFilesPatch, FILE_HEADERS_ONLY } = await import('diff');
  const patch = createTwoFilesPatch(...names, left, right, undefined, undefined, {
    context: 3,
    maxEditLength: MAX_EDITS,
    headerOptions: FILE_HEADERS_ONLY,
  });
  if (patch === undefined) return sentence(`More than ${MAX_EDITS} lines differ`);
  return isTerminal ? harmless(patch) : patch;
}

function shown(entry: Entry): string {
  return printable(entry.bytes.toString('latin1'));
}

/** A file's text; undefined if it is none. */
function textOf({ node, size }: Entry): string | undefined {
  if (node.kind !== 'file') return undefined;
  const bytes = Buffer.alloc(size);
  const reader = new ContentReader();
  try {
    reader.read(node.content, 0, bytes);
  } finally {
    reader.close();
  }
  if (bytes.includes(0)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Text of an image that cannot move the cursor of a terminal, or do worse. */
function harmless(patch: string): string {
  const lines = patch.split('\n');
  return lines
    .map((line) =>
      line
        .split('\t')
        .map((part) => printable(Buffer.from(part).toString('latin1')))
        .join('\t'),
    )
    .join('\n');
}
