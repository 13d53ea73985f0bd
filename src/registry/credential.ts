/** What a registry is shown. It is never written anywhere, and never part of a message. */
export interface Credential {
  readonly username?: string;
  readonly password?: string;
  /** A token for the server of tokens, in place of the two. */
  readonly identityToken?: string;
  /** Where it comes from, for messages: a file or a program. */
  readonly from: string;
}

/** As `Authorization` has it; undefined where there is no name and password. */
export function basic({ username, password }: Credential): string | undefined {
  if (username === undefined || password === undefined) return undefined;
  return `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`;
}
