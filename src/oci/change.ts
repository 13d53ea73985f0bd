import { FlattenError } from '../errors.js';
import { INSTRUCTIONS } from './change/instructions.js';
import { RunConfig } from './change/run-config.js';
import type { Fields } from './fields.js';
import { shown } from './shown.js';

/** One instruction of `--change`, its keyword known and in capitals. */
export interface Change {
  readonly keyword: string;
  /** What follows the keyword, without white space around it. */
  readonly text: string;
}

/**
 * Reads changes, each as a piece of a Dockerfile: mostly one instruction; lines that end in a backslash go on, comments
 * and blank lines say nothing. Throws `USAGE`, naming the instruction, where one is unknown or empty.
 */
export function parseChanges(changes: readonly string[]): Change[] {
  return changes.flatMap((change) => {
    const lines = change
      .split('\n')
      .filter((line) => !/^\s*(#|$)/.test(line))
      .join('\n')
      .replace(/\\[ \t]*\n/g, '')
      .split('\n')
      .map((line) => line.trim());
    return lines.map(parseLine);
  });
}

function parseLine(line: string): Change {
  const [, word = '', text = ''] = /^(\S*)\s*(.*)$/s.exec(line)!;
  const keyword = word.toUpperCase();
  if (!INSTRUCTIONS.has(keyword)) {
    throw new FlattenError('USAGE', `{changes: ${shown(line) || '""'}}: no such instruction`, {
      hint: `it begins with one of ${[...INSTRUCTIONS.keys()].join(', ')}`,
    });
  }
  if (text === '') throw bad({ keyword, text }, 'has no arguments');
  return { keyword, text };
}

/**
 * Carries out changes on the `config` of an image config, in their order, as `docker import --change` does. Throws
 * `USAGE`, naming the instruction, where one makes no sense, and `BAD_IMAGE` where the config does not.
 */
export function applyChanges(fields: Fields, changes: readonly Change[]): Fields {
  const config = new RunConfig(fields);
  for (const change of changes) {
    try {
      INSTRUCTIONS.get(change.keyword)!(config, change.text);
    } catch (error) {
      throw error instanceof FlattenError ? error : bad(change, (error as Error).message);
    }
  }
  return config.fields;
}

function bad({ keyword, text }: Change, what: string): FlattenError {
  const line = text === '' ? keyword : `${keyword} ${text}`;
  return new FlattenError('USAGE', `{changes: ${shown(line)}}: ${shown(what)}`);
}
