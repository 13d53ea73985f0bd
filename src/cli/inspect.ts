import type { Command } from 'commander';
import { addLookOptions, IMAGE, type InspectFlags } from './look-options.js';
import { parseCount } from './numbers.js';

/** `flatten inspect IMAGE`: what an image is, and what it costs. */
export function addInspect(program: Command, signal: AbortSignal): void {
  const command = program
    .command('inspect')
    .summary('Show what an image is, what its layers cost, and what is wasted')
    .description(
      'Prints the config of an image, its layers, the bytes that they carry in vain, and files that deserve a look. Only headers are read, unless --content is given.',
    )
    .argument(...IMAGE)
    .optionsGroup('Inspection:')
    .option('--content', 'Read content, too: files that are the same are found by their bytes')
    .option('--worst <count>', 'List at most this many paths of each kind', parseCount, 10)
    .option(
      '--fail-if <condition>',
      "Exit with 1 if this holds, as 'waste>10%' or 'setuid>0' (repeatable)",
      (text: string, before: readonly string[] = []) => [...before, text],
    )
    .option('-o, --output <file>', 'Write a page to click through (.html) or a picture (.svg)')
    .option('--force', 'Replace a report that is there');
  addLookOptions(command);
  command.action(async (image: string, flags: InspectFlags) => {
    const { printInspection } = await import('./look/inspect.js');
    await printInspection(image, flags, signal);
  });
}
