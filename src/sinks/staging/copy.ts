import { FlattenError } from '../../errors.js';

/**
 * Copies a tree with all that it has, as `cp -a` does, to a place that is free. Not by fs-extra, which knows no owners,
 * xattrs or hard links. Throws `TOOL`.
 */
export async function copyTree(from: string, to: string): Promise<void> {
  const { execa } = await import('execa');
  const ran = await execa('cp', ['-a', '--', `${from}/.`, to], { reject: false, env: { LC_ALL: 'C' } });
  if (!ran.failed) return;
  const tail = ran.stderr?.trim().split('\n').at(-1) || ran.shortMessage;
  throw new FlattenError('TOOL', `cp -a failed with ${ran.exitCode ?? 'no'} exit code: ${tail}`, {
    cause: ran,
  });
}
