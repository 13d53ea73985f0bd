import { type Command, Option } from 'commander';
import { addLookOptions, IMAGE, type ListFlags } from './look-options.js';

/** `flatten ls IMAGE [PATH…]`: what is in an image. */
export function addList(program: Command, signal: AbortSignal): void {
  const command = program
    .command('ls')
    .summary('List what is in an image')
    .description(
      'Lists the files of an image as ls -l does, each line with the whole path. Nothing is unpacked.',
    )
    .argument(...IMAGE)
    .argument('[path...]', 'Paths or globs; what is in a directory is listed (default: the root)')
    .optionsGroup('Listing:')
    .option('-R, --recursive', 'List all that is below directories, too')
    .option('-d, --directory', 'List directories themselves, and not what is in them')
    .option('--layers', 'Say which layer each name comes from')
    .addOption(
      new Option('--mtree', 'Print all of it as a specification for mtree').conflicts([
        'layers',
        'json',
        'recursive',
        'directory',
      ]),
    );
  addLookOptions(command);
  command.action(async (image: string, paths: string[], flags: ListFlags) => {
    const { printList } = await import('./look/ls.js');
    await printList(image, paths, flags, signal);
  });
}
