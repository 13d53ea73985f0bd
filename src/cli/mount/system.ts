import { FlattenError, throwIfAborted } from '../../errors.js';

/** Runs a program of the system. Throws `TOOL` with what it said, `INTERRUPTED`. `explain` may say more of why it failed. */
export async function system(
  program: string,
  args: readonly string[],
  signal: AbortSignal,
  explain: (said: string) => FlattenError | undefined = () => undefined,
): Promise<void> {
  const { execa } = await import('execa');
  const PATH = `${process.env.PATH ?? ''}:/usr/sbin:/sbin`;
  const options = {
    reject: false,
    cancelSignal: signal,
    stdin: 'ignore',
    env: { PATH, LC_ALL: 'C' },
  } as const;
  const result = await execa(program, args, options);
  throwIfAborted(signal);
  if (!result.failed) return;
  const what = result.stderr?.trim() || result.shortMessage || 'failed';
  throw (
    explain(what) ??
    new FlattenError('TOOL', `${program}: ${what}`, {
      hint: `the command was: ${result.command}`,
      cause: result,
    })
  );
}
