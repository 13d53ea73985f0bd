import { type ErrorCode, FlattenError } from '../errors.js';

/** A {@link FlattenError} as it goes from thread to thread, which keeps no classes. */
export interface Failure {
  readonly code: ErrorCode;
  readonly what: string;
  readonly layer: string | undefined;
  readonly path: string | undefined;
  readonly hint: string | undefined;
  readonly cause: Error | undefined;
}

export function failureOf({ code, what, layer, path, hint, cause }: FlattenError): Failure {
  return { code, what, layer, path, hint, cause: cause instanceof Error ? cause : undefined };
}

export function errorOf({ code, what, layer, path, hint, cause }: Failure): FlattenError {
  return new FlattenError(code, what, {
    ...(layer !== undefined && { layer }),
    ...(path !== undefined && { path }),
    ...(hint !== undefined && { hint }),
    ...(cause !== undefined && { cause }),
  });
}
