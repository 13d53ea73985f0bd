import { FlattenError, printable } from '../errors.js';

/** Who a program runs as, in numbers. */
export interface User {
  readonly uid: number;
  readonly gid: number;
  /** Further groups, in the order of `etc/group`. */
  readonly groups: readonly number[];
  /** The home directory of `etc/passwd`; absent for somebody who is not in it. */
  readonly home?: string;
}

/** The text of a tree's `etc/passwd` and `etc/group`; empty where there is none. */
export interface UserFiles {
  readonly passwd: string;
  readonly group: string;
}

/**
 * Resolves `USER[:GROUP]` of an image's config, each a name or a number, as engines do (runc's libcontainer, `user.GetExecUser`): a
 * number need not be in `etc/passwd`, and has the group 0 then; further groups count only where no group is named. Throws `NOT_FOUND`
 * for a name that the files do not have.
 */
export function resolveUser(text: string, { passwd, group }: UserFiles): User {
  const colon = text.indexOf(':');
  const who = (colon < 0 ? text : text.slice(0, colon)) || '0';
  const which = colon < 0 ? '' : text.slice(colon + 1);
  const user = rowsOf(passwd).find(([name, , uid]) => isMeant(who, name, uid));
  const uid = numberIn(user?.[2]) ?? numberIn(who);
  if (uid === undefined) throw unknown(text, who, 'user', 'etc/passwd');
  const home = user?.[5];
  const known = { uid, ...(home && { home }) };
  const groups = rowsOf(group);
  if (which === '') {
    const member = user?.[0] ?? who;
    const further = groups.flatMap(([, , gid, members = '']) =>
      members.split(',').includes(member) ? (numberIn(gid) ?? []) : [],
    );
    return { ...known, gid: numberIn(user?.[3]) ?? 0, groups: [...new Set(further)] };
  }
  const found = groups.find(([name, , gid]) => isMeant(which, name, gid));
  const gid = numberIn(found?.[2]) ?? numberIn(which);
  if (gid === undefined) throw unknown(text, which, 'group', 'etc/group');
  return { ...known, gid, groups: [] };
}

/**
 * The name in `etc/passwd` that stands for just this user: whoever logs in by it has these numbers and groups (initgroups(3)).
 * Undefined where there is none, or none of plain characters.
 */
export function accountOf(user: User, files: UserFiles): string | undefined {
  const rows = rowsOf(files.passwd).filter(
    ([name, , uid, gid]) => PLAIN.test(name!) && numberIn(uid) === user.uid && numberIn(gid) === user.gid,
  );
  const names = [...new Set(rows.map(([name]) => name!))].slice(0, MAX_ACCOUNTS);
  return names.find((name) => {
    const { uid, gid, groups } = resolveUser(name, files);
    return uid === user.uid && gid === user.gid && String(groups) === String(user.groups);
  });
}

const PLAIN = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/;
/** Names of one number that are looked at: each costs a look through the files, which an image may have filled with them. */
const MAX_ACCOUNTS = 16;

function isMeant(wanted: string, name: string | undefined, number: string | undefined): boolean {
  return name === wanted || (numberIn(wanted) !== undefined && numberIn(number) === numberIn(wanted));
}

/** Fields parted by colons, a line each. */
function rowsOf(text: string): string[][] {
  return text
    .split('\n')
    .map((line) => line.trim().split(':'))
    .filter(([name, , number]) => name !== '' && numberIn(number) !== undefined);
}

/** What `uid_t` holds: 2^32 - 1 means nobody at all. */
function numberIn(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text) && Number(text) < 0xffffffff
    ? Number(text)
    : undefined;
}

function unknown(text: string, name: string, kind: string, file: string): FlattenError {
  const shown = printable(Buffer.from(text).toString('latin1'));
  return new FlattenError(
    'NOT_FOUND',
    `the config says to run as ${shown}, and ${file} of the tree has no ${kind} ${printable(Buffer.from(name).toString('latin1'))}`,
    { hint: "give it a number: {changes: ['USER 1000']} for an image that is written, or {add} the file" },
  );
}
