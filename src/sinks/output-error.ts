import { ioError } from '../errors.js';

/** A system error of an output, in flatten's words; every other error says nothing of the output, and stays as it is. */
export function outputError(error: unknown, output: string): unknown {
  const isSystem = error instanceof Error && 'syscall' in error;
  return isSystem
    ? ioError(error, `${output === '-' ? 'standard output' : output}: cannot be written`)
    : error;
}
