import { smallFile } from '../layer/small-file.js';
import type { ImageConfig } from '../oci/config.js';
import type { Digest } from '../oci/digest.js';
import type { Platform } from '../oci/platform.js';
import { startOf } from '../oci/start.js';
import type { Directory } from '../rootfs/node.js';
import { resolveUser, type User, type UserFiles } from '../rootfs/users.js';

/** What a runtime needs to start what an image is for. */
export interface Settings {
  /** The program and its arguments: the entrypoint and the command together. */
  readonly args: readonly string[];
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  readonly cwd: string;
  /** `NAME=VALUE`. */
  readonly env: readonly string[];
  /** Found in the tree's own files; `name` is what the config says. */
  readonly user: User & { readonly name: string };
  readonly stopSignal?: string;
  readonly exposedPorts: readonly string[];
  readonly volumes: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly platform?: Platform;
  /** Of the image. */
  readonly digest?: Digest;
}

/** Throws `NOT_FOUND` for a user that the tree does not know, `BAD_IMAGE` for a config that makes no sense. */
export function settingsOf(config: ImageConfig, root: Directory, digest: Digest | undefined): Settings {
  const { entrypoint, cmd, workingDir, user, env, ...others } = startOf(config);
  return {
    args: [...entrypoint, ...cmd],
    entrypoint,
    cmd,
    cwd: workingDir,
    env,
    user: { name: user, ...resolveUser(user, userFiles(root)) },
    ...others,
    ...(config.platform && { platform: config.platform }),
    ...(digest && { digest }),
  };
}

/** What the tree says of users. */
export function userFiles(root: Directory): UserFiles {
  return { passwd: smallFile(root, 'etc/passwd'), group: smallFile(root, 'etc/group') };
}
