import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { FlattenError, ioError } from '../../errors.js';
import type { Listed } from '../../fleet/item.js';
import { LIST_LIMIT, parseList } from '../../fleet/list.js';
import { sizeText } from '../../size-text.js';

/** Reads a list from a file, or from standard input for `-`. Throws `USAGE` for what is no list, and `IO` for what cannot be read. */
export async function readList(path: string): Promise<Listed[]> {
  if (path === '-') return parseList(await standardInput(), 'standard input');
  return parseList(fileAt(path), path);
}

function fileAt(path: string): Buffer {
  let fd: number | undefined;
  try {
    fd = openSync(path, 'r');
    if (fstatSync(fd).size > LIST_LIMIT) throw tooLong(path);
    return readFileSync(fd);
  } catch (error) {
    throw ioError(error, path);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

async function standardInput(): Promise<Buffer> {
  if (process.stdin.isTTY)
    throw new FlattenError('USAGE', 'standard input: is a terminal, not a list', {
      hint: 'name a file: flatten batch images.txt -o PATTERN',
    });
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > LIST_LIMIT) throw tooLong('standard input');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function tooLong(name: string): FlattenError {
  return new FlattenError(
    'USAGE',
    `${name}: has more than ${sizeText(LIST_LIMIT)}, and is no list of images`,
  );
}
