import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CaseLayer, layerFrom, memberFrom } from './case-layer.js';
import { rowFrom } from './case-tree.js';
import type { Row } from './listing.js';
import { PROJECT } from './project.js';
import { words } from './words.js';

/** A stack of layers and what it must become; `test/cases/README.md` has the form. */
export interface Case {
  /** `08-whiteouts/whole-tree`. */
  readonly name: string;
  /** The first comment line. */
  readonly title: string;
  /** The numbers of the rules that its title cites. */
  readonly rules: readonly number[];
  /** The sentence of the image specification that it rests on; or, where that is `silent`, what decides it. */
  readonly spec: { readonly section: string; readonly sentence: string };
  /** Public reports of tools that got it wrong, `OWNER/REPOSITORY#NUMBER`. */
  readonly reports: readonly string[];
  readonly options: readonly string[];
  /** Base first. */
  readonly layers: readonly CaseLayer[];
  /** Absent where an error is expected. */
  readonly tree?: readonly Row[];
  /** Every warning that must be given: pieces that one message must hold. */
  readonly warnings: readonly (readonly string[])[];
  readonly error?: { readonly code: string; readonly pieces: readonly string[] };
}

/** All of `test/cases`, by name. */
export function allCases(): Case[] {
  const root = join(PROJECT, 'test', 'cases');
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.case'))
    .sort()
    .map((file) => readCase(file.slice(0, -5), readFileSync(join(root, file), 'utf8')));
}

/** Reads a case; throws with file and line where it makes no sense. */
function readCase(name: string, text: string): Case {
  const draft: Draft = { layers: [], warnings: [], options: [], titles: [], reports: [] };
  for (const [index, line] of text.split('\n').entries()) {
    try {
      readLine(draft, line);
    } catch (error) {
      throw new Error(`${name}.case:${index + 1}: ${(error as Error).message}`);
    }
  }
  const { layers, warnings, options, tree, error, spec, reports } = draft;
  if (draft.titles.length === 0) throw new Error(`${name}.case: a case begins with a comment: its title`);
  if (spec === undefined) throw new Error(`${name}.case: a case says what it rests on: spec: …`);
  if ((tree === undefined) === (error === undefined))
    throw new Error(`${name}.case: a case has either a tree or an error`);
  return {
    name,
    title: draft.titles[0]!,
    rules: citedRules(draft.titles[0]!),
    spec,
    reports,
    layers,
    warnings,
    options,
    ...(tree && { tree: withRoot(tree) }),
    ...(error && { error }),
  };
}

/** `rule 8: …`, `rules 8, 11: …` or `table, rule 8: …`. */
function citedRules(title: string): number[] {
  const [, numbers] = /^(?:table, )?rules? (\d+(?:, \d+)*): /.exec(title) ?? [];
  if (numbers === undefined) throw new Error(`${title}: a title cites its rule`);
  return numbers.split(', ').map(Number);
}

interface Draft {
  readonly titles: string[];
  readonly layers: CaseLayer[];
  readonly warnings: string[][];
  readonly options: string[];
  readonly reports: string[];
  spec?: Case['spec'];
  tree?: Row[];
  error?: { code: string; pieces: string[] };
  section?: 'layer' | 'tree';
}

function readLine(draft: Draft, line: string): void {
  if (/^\s*(#|$)/.test(line)) {
    const title = /^#\s*(.*)/.exec(line)?.[1];
    if (title !== undefined) draft.titles.push(title);
    return;
  }
  const found = words(line);
  if (/^\s/.test(line)) {
    if (draft.section === 'layer') draft.layers.at(-1)!.members.push(memberFrom(found));
    else if (draft.section === 'tree') draft.tree!.push(rowFrom(found, draft.tree!));
    else throw new Error('an indented line belongs to a layer or to the tree');
    return;
  }
  const [keyword, ...rest] = found.map(({ text }) => text);
  startSection(draft, keyword!, rest);
}

function startSection(draft: Draft, keyword: string, rest: string[]): void {
  delete draft.section;
  if (keyword === 'layer') {
    draft.layers.push(layerFrom(rest));
    draft.section = 'layer';
  } else if (keyword === 'tree') {
    draft.tree = [];
    draft.section = 'tree';
  } else if (keyword === 'options:') draft.options.push(...rest);
  else if (keyword === 'spec:') draft.spec = { section: rest[0]!, sentence: rest[1]! };
  else if (keyword === 'report:') draft.reports.push(...rest);
  else if (keyword === 'warning:') draft.warnings.push(rest);
  else if (keyword === 'error:') draft.error = { code: rest[0]!, pieces: rest.slice(1) };
  else
    throw new Error(
      `${keyword}: a line begins with layer, tree, spec:, report:, options:, warning:, error: or #`,
    );
}

/** A root that no line names is the one nobody described. */
function withRoot(tree: readonly Row[]): readonly Row[] {
  if (tree.some(({ path }) => path === '.')) return tree;
  return [{ path: '.', kind: 'd', mode: 0o755, uid: 0, gid: 0, mtime: 0n, xattrs: new Map() }, ...tree];
}
