import type { Command } from 'commander';
import { addLookOptions, IMAGE, type LookFlags } from './look-options.js';

/** `flatten cat IMAGE PATH…`: files of an image, as they are. */
export function addCat(program: Command, signal: AbortSignal): void {
  const command = program
    .command('cat')
    .summary('Print files of an image')
    .description('Prints the bytes of files, one after the other. Symlinks are followed inside the image.')
    .argument(...IMAGE)
    .argument('<path...>', 'Paths or globs of files');
  addLookOptions(command);
  command.action(async (image: string, paths: string[], flags: LookFlags) => {
    const { printFiles } = await import('./look/cat.js');
    await printFiles(image, paths, flags, signal);
  });
}
