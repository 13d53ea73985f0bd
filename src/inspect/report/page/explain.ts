import { type PageNode, pathOf } from './tree.js';
import { REASONS, showBytes, showCount, showShare } from './words.js';

/** What is said of a name, line by line, the path first. `commands` are those of the layers, base first. */
export function explain(node: PageNode, whole: number, commands: readonly string[]): string[] {
  const path = pathOf(node) || '/';
  if (node.kind === 'directory') {
    const lines = [
      `${path === '/' ? '' : '/'}${path}${path === '/' ? '' : '/'}`,
      `${showBytes(node.total)}, ${showShare(node.total, whole)} of all bytes, ${showCount(node.names)} names`,
    ];
    if (node.waste > 0) lines.push(`${showBytes(node.waste)} of them do not show`);
    if (node.why !== '') lines.push(`not in the tree any more: ${REASONS[node.why]} by layer ${node.by}`);
    return lines;
  }
  const lines = [`/${path}`, `${showBytes(node.bytes)}, ${showShare(node.bytes, whole)} of all bytes`];
  if (node.kind !== 'file' && node.kind !== 'folded') lines[1] = node.kind;
  if (node.linkOf !== '') lines.push(`a hard link to /${node.linkOf}, where its bytes count`);
  if (node.kind === 'folded') lines.push('files that are too small to be listed here');
  else if (node.layer > 0) lines.push(`from layer ${node.layer}: ${commands[node.layer - 1] ?? ''}`);
  if (node.why !== '' && node.by > 0) {
    const by = node.by === node.layer ? 'its own layer' : `layer ${node.by}: ${commands[node.by - 1] ?? ''}`;
    lines.push(`does not show: ${REASONS[node.why]} by ${by}`);
  }
  if (node.touches.length > 1)
    lines.push(node.touches.map(([layer, act]) => `${act} in layer ${layer}`).join(', '));
  return lines;
}

/** What is said of names that are folded into one rectangle. */
export function explainFolded(node: PageNode, count: number, bytes: number, whole: number): string[] {
  return [
    `/${pathOf(node)}`,
    `${showCount(count)} smaller names: ${showBytes(bytes)}, ${showShare(bytes, whole)} of all bytes`,
  ];
}
