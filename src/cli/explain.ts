import type { Command } from 'commander';
import { addLookOptions, IMAGE, type LookFlags } from './look-options.js';

/** `flatten explain IMAGE PATH…`: where a path comes from, or why it is not there. */
export function addExplain(program: Command, signal: AbortSignal): void {
  const command = program
    .command('explain')
    .summary('Say which layer a path comes from, or why it is missing')
    .description(
      'Prints what each layer did to a path, from the base up, and by which rule. The exit code is 1 if a path is not in the image.',
    )
    .argument(...IMAGE)
    .argument('<path...>', 'Paths, or globs, which find what was removed, too');
  addLookOptions(command);
  command.action(async (image: string, paths: string[], flags: LookFlags) => {
    const { printExplanations } = await import('./look/explain.js');
    await printExplanations(image, paths, flags, signal);
  });
}
