import { type ErrorCode, FlattenError, ioError } from '../../errors.js';

/** An error at a path in the image (latin1), in flatten's words. */
export function inPath(error: unknown, path: string): FlattenError {
  if (error instanceof FlattenError && (error.path !== undefined || error.code === 'INTERRUPTED'))
    return error;
  const { code, what, hint } = worded(error);
  return new FlattenError(code, what, { path: path || '.', cause: error, ...(hint && { hint }) });
}

function worded(error: unknown): { code: ErrorCode; what: string; hint?: string | undefined } {
  if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
    return {
      code: 'UNSUPPORTED',
      what: 'its name is taken: the file system does not tell it from another name in the image',
      hint: 'choose an output on a file system that tells upper and lower case apart',
    };
  }
  return ioError(error, 'cannot be written');
}
