import { type Command, InvalidArgumentError } from 'commander';

/** Adds the options that say what is known of a disk image's hash tree. */
export function addSealOptions(command: Command): Command {
  return command
    .optionsGroup('Hash tree:')
    .option(
      '--verity [file]',
      'Fail where there is no hash tree; --verity=FILE: it is in this file (default: as DISK.verity.json says, else behind the file system)',
      (file) => (file === '' ? true : file),
    )
    .option(
      '--root-hash <hex>',
      'Trust this root hash (default: the one in DISK.verity.json)',
      parseRootHash,
    );
}

/** The same where the tree is used unless one says that it is not. */
export function addMountVerity(command: Command): Command {
  return addSealOptions(command).option('--no-verity', 'Mount the disk without its hash tree');
}

function parseRootHash(text: string): string {
  if (!/^[0-9a-f]{64}$/i.test(text)) throw new InvalidArgumentError('It has 64 hexadecimal digits.');
  return text;
}
