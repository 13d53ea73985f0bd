/** Random stacks, judged by the kernel: each layer unpacked by GNU tar, all of them mounted as one overlay. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { treeLines } from './support/engine.js';
import { listDirectory } from './support/list-directory.js';
import { lines } from './support/listing.js';
import { model } from './support/model.js';
import { needs } from './support/needs.js';
import { scratch } from './support/scratch.js';
import { runs, type Stack, tidyStack } from './support/stacks.js';
import { archive, type Member } from './support/tar.js';

const skip = needs('root', 'mount', 'tar', 'getfattr');

test('tidy stacks give the tree that overlayfs shows', { skip }, (t) => {
  const directory = scratch(t);
  fc.assert(
    fc.property(tidyStack, (stack) => {
      const layers = stack.map((members) => archive(members));
      assert.deepEqual(treeLines(layers, directory), overlay(stack, directory));
    }),
    runs(150),
  );
});

test('stacks as overlayfs keeps them on its disk give the tree that it shows', { skip }, (t) => {
  const directory = scratch(t);
  fc.assert(
    fc.property(tidyStack, (stack) => {
      const layers = stack.map((members, index) =>
        archive(asOverlay(members, namesOf(stack.slice(0, index)))),
      );
      assert.deepEqual(treeLines(layers, directory), overlay(stack, directory));
    }),
    runs(100),
  );
});

function namesOf(stack: Stack): ReadonlySet<string> {
  return new Set(model(stack).map(({ path }) => path));
}

/** What a container started from these layers would see. */
function overlay(stack: Stack, scratch: string): string[] {
  const directory = mkdtempSync(join(scratch, 'overlay-'));
  const lowers = ['nothing', ...stack.keys()].map((name) => join(directory, String(name)));
  for (const lower of lowers) mkdirSync(lower);
  for (const [index, members] of stack.entries()) {
    unpack(asOverlay(members, namesOf(stack.slice(0, index))), lowers[index + 1]!);
  }
  const mountPoint = join(directory, 'merged');
  mkdirSync(mountPoint);
  const options = `ro,lowerdir=${lowers.reverse().join(':')}`;
  execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', options, mountPoint]);
  try {
    return lines(listDirectory(mountPoint, { countLinks: false }));
  } finally {
    execFileSync('umount', [mountPoint]);
    rmSync(directory, { recursive: true });
  }
}

function unpack(members: readonly Member[], directory: string): void {
  const options = ['--xattrs', '--xattrs-include=*', '--numeric-owner', '--same-owner', '-p', '-P'];
  // -P: else symlinks with `..` are made last, and their directories' times with them.
  // Directories come twice: what is put into one later changes its time.
  const directories = members.filter(({ typeflag }) => typeflag === '5');
  const input = archive([...members, ...directories]);
  execFileSync('tar', ['-x', ...options, '-C', directory], { input });
}

/**
 * A layer as overlayfs keeps it: whiteouts are devices 0:0, opaque directories have an xattr. The kernel makes no
 * whiteout of a name that is not `below`, and shows those that others made.
 */
function asOverlay(members: readonly Member[], below: ReadonlySet<string>): Member[] {
  const removed = new Set<string>();
  const opaque = new Set<string>();
  for (const { path } of members) {
    const marker = /^(.*?)\/?\.wh\.([^/]*)$/.exec(path);
    if (marker?.[2] === '.wh..opq') opaque.add(marker[1]!);
    else if (marker !== null) removed.add(join(marker[1]!, marker[2]!));
  }
  const plain = members.filter(({ path }) => !/(^|\/)\.wh\.[^/]*$/.test(path));
  const added = new Set(plain.map(({ path }) => path));
  const isHidden = (path: string) =>
    [...opaque, ...removed].some((gone) => gone !== path && (gone === '' || path.startsWith(`${gone}/`)));
  const whiteouts = [...removed].filter((path) => below.has(path) && !added.has(path) && !isHidden(path));
  return [
    ...plain.map((member) => {
      // What a layer both removes and adds does not merge with what was there.
      const isOpaque = opaque.has(member.path) || removed.has(member.path);
      return member.typeflag === '5' && isOpaque ? withOpaque(member) : member;
    }),
    ...whiteouts.map((path): Member => ({ path, typeflag: '3', mode: 0, major: 0, minor: 0 })),
  ];
}

function withOpaque(member: Member): Member {
  return {
    ...member,
    xattrs: new Map([...(member.xattrs ?? []), ['trusted.overlay.opaque', Buffer.from('y')]]),
  };
}
