import { FlattenError } from '../errors.js';
import type { Directory } from '../rootfs/node.js';
import { accountOf } from '../rootfs/users.js';
import { type Settings, userFiles } from './settings.js';
import type { Tools } from './tools.js';

/** How root becomes the user that a program runs as: words that stand before the program, and perhaps another way to name the program. */
export interface Become {
  /** Empty where root stays root. */
  readonly words: string;
  /** Whether what is run must be a shell, which the script itself is then. */
  readonly byShell?: boolean;
}

/**
 * Chooses the program of the tree that makes root the user, with all groups. Throws `UNSUPPORTED` where the tree has none that can.
 * Its own files are asked while the script is written, so that nothing is left to chance when a machine starts.
 */
export function become({ user }: Pick<Settings, 'user'>, root: Directory, tools: Tools): Become {
  const { uid, gid, groups } = user;
  if (uid === 0 && gid === 0 && groups.length === 0) return { words: '' };
  const setpriv = tools.findFull('setpriv');
  if (setpriv !== undefined) {
    const further = groups.length > 0 ? `--groups=${groups}` : '--clear-groups';
    return { words: `${setpriv} --reuid=${uid} --regid=${gid} ${further} -- ` };
  }
  const chroot = tools.findFull('chroot');
  if (chroot !== undefined) {
    const further = groups.map((group) => `+${group}`).join(',');
    return { words: `${chroot} --userspec=+${uid}:+${gid} --groups=${further} --skip-chdir / ` };
  }
  const chpst = tools.findApplet('chpst');
  if (chpst !== undefined && groups.length === 0) return { words: `${chpst} -u ${uid}:${gid} ` };
  const su = tools.findApplet('su'); // others ask PAM, which may have no rules here
  const account = accountOf(user, userFiles(root));
  if (su !== undefined && account !== undefined)
    return { words: `${su} -s "$0" ${account} program`, byShell: true };
  if (uid === 0 && gid === 0) return { words: '' }; // nothing is closed to root for want of a group
  throw new FlattenError(
    'UNSUPPORTED',
    `nothing in the tree can become the user ${[uid, gid, ...groups].join(':')}, who the config says runs the program`,
    { hint: 'setpriv of util-linux can, and chroot of coreutils: install one of them in the image' },
  );
}
