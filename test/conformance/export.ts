import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Case } from '../support/case.js';
import { linked, type Row } from '../support/listing.js';
import { PROJECT } from '../support/project.js';
import { decimal } from '../support/tar.js';
import { undecided } from './compare.js';
import { FORMS, referenceOf, writeImage } from './forms.js';
import { writeMtree } from './mtree.js';
import { UsageError } from './options.js';
import { escapes } from './outside.js';

/** Raised where something that reads an older export would go wrong. */
const FORMAT = 1;
/** Said in each image, so that an export is the same on every machine. */
const PLATFORM = { os: 'linux', architecture: 'amd64' };
const PARTS = join(PROJECT, 'scripts/layer-suite');

/** Writes the suite in a form that needs nothing of this project. The same cases give the same bytes. */
export function exportSuite(cases: readonly Case[], directory: string): void {
  if (existsSync(directory)) throw new UsageError(`--export ${directory}: exists already`);
  mkdirSync(directory, { recursive: true });
  const { version } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8'));
  const entries = cases.map((one) => exportCase(one, directory));
  write(join(directory, 'index.json'), json({ format: FORMAT, version, cases: entries }));
  const script = readFileSync(join(PARTS, 'run.py'), 'utf8');
  const readme = readFileSync(join(PARTS, 'README.md'), 'utf8');
  write(
    join(directory, 'README.md'),
    readme.replace('SCRIPT\n', () => script),
  );
  copyFileSync(join(PARTS, 'run.py'), join(directory, 'run.py'));
}

function exportCase(one: Case, directory: string) {
  const own = join('cases', one.name);
  mkdirSync(join(directory, own), { recursive: true });
  const names = { oci: 'oci', 'oci-archive': 'oci.tar', 'docker-archive': 'docker.tar' };
  for (const form of FORMS) writeImage(one, form, join(directory, own, names[form]), PLATFORM);
  if (one.tree !== undefined) {
    write(join(directory, own, 'tree.json'), json(linked(one.tree).map(entryOf)));
    write(join(directory, own, 'tree.mtree'), writeMtree(one.tree));
  }
  const { name, title, rules, spec, reports } = one;
  return {
    name,
    title,
    rules,
    specification: spec.section === 'silent' ? { silent: spec.sentence } : spec,
    reports,
    images: Object.fromEntries(FORMS.map((form) => [form, join(own, names[form])])),
    reference: referenceOf(one),
    ...(one.tree === undefined
      ? { expect: 'refusal' }
      : { expect: 'tree', tree: join(own, 'tree.json'), mtree: join(own, 'tree.mtree') }),
    outside: escapes(one),
  };
}

const KINDS = { f: 'file', d: 'directory', l: 'symlink', c: 'char', b: 'block', p: 'fifo', s: 'socket' };

function entryOf(row: Row) {
  const { path, kind, mode, uid, gid, size, sha256, target, group, device, mtime, xattrs } = row;
  const open = undecided(row);
  return {
    path,
    kind: KINDS[kind],
    mode: mode.toString(8).padStart(4, '0'),
    owner: `${uid}:${gid}`,
    size,
    content: sha256,
    target,
    link: group,
    device,
    time: decimal(mtime),
    xattr: Object.fromEntries([...xattrs].map(([name, value]) => [name, value.toString('hex')])),
    ...(open.length > 0 && { undecided: open }),
  };
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 1)}\n`;
}

function write(path: string, text: string): void {
  writeFileSync(path, text);
}
