import { shown } from '../../oci/shown.js';

/** The most characters of a command that are shown. */
const MAX_COMMAND = 100;

/** The command that made a layer, as short as a line: without what builders write around the instruction. */
export function commandText(createdBy: string | undefined): string | undefined {
  if (createdBy === undefined) return undefined;
  const plain = createdBy
    .replace(/^(?:\|\d+ .*?)?\/bin\/sh -c #\(nop\)\s*/s, '')
    .replace(/^(?:RUN )?(?:\|\d+ .*?)?\/bin\/sh -c /s, 'RUN ')
    .replace(/\s*# buildkit$/, '')
    .replace(/\s+/g, ' ')
    .trim();
  const letters = Array.from(plain);
  return shown(letters.length > MAX_COMMAND ? `${letters.slice(0, MAX_COMMAND - 1).join('')}…` : plain);
}
