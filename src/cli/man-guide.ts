import { escaped, tagged } from './man-text.js';

/** Sections of the guide that the man page has in another form. */
const ELSEWHERE: ReadonlySet<string> = new Set(['Sizes']);

/**
 * The sections of the guide to the command line (src/cli/README.md) in roff. Of Markdown it knows what stands there: headings,
 * paragraphs, lists, tables of which the first cell is a name, and fenced blocks.
 */
export function guideSections(markdown: string): string[] {
  const [, ...sections] = markdown.split(/^## /m);
  return sections
    .map((section) => section.split('\n'))
    .filter(([title]) => !ELSEWHERE.has(title!))
    .flatMap(([title, ...lines]) => [
      `.SH ${escaped(title!.toUpperCase())}`,
      ...blocks(lines.join('\n')).flatMap(block),
    ])
    .filter((line, at, all) => line !== '.PP' || !/^\.S[HS] /.test(all[at - 1] ?? '')); // a heading begins a paragraph
}

/** Paragraphs, lists, tables and fenced blocks, which may have empty lines in them. */
function blocks(text: string): string[] {
  const parts = text.split(/^(```\w+\n[\s\S]*?^```)$/m);
  return parts
    .flatMap((part) => (part.startsWith('```') ? [part] : part.split(/\n{2,}/)))
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function block(text: string): string[] {
  if (text.startsWith('```')) return ['.PP', '.nf', ...text.split('\n').slice(1, -1).map(escaped), '.fi'];
  if (text.startsWith('### ')) return [`.SS ${escaped(text.slice(4))}`];
  if (text.startsWith('|')) return text.split('\n').slice(2).flatMap(row);
  const [first = '', ...items] = text.split(/^- /m);
  const lead = first.trim() === '' ? [] : ['.PP', inline(first)];
  return [...lead, ...items.flatMap((item) => ['.IP \\(bu 2', inline(item)])];
}

function row(line: string): string[] {
  const [name = '', ...cells] = line
    .replace(/^\| | \|$/g, '')
    .split(' | ')
    .map(inline);
  return tagged([name, cells.join('; ')]);
}

/** Text without the marks of code and links. */
function inline(text: string): string {
  const plain = text.trim().replaceAll('\n', ' ').replaceAll('`', '');
  return escaped(plain.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1'));
}
