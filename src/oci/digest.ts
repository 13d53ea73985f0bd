/** A content digest. Only sha256 is written; sha512 is accepted where an image uses it. */
export type Digest = `sha256:${string}` | `sha512:${string}`;

const FORM = /^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

export function isDigest(text: unknown): text is Digest {
  return typeof text === 'string' && FORM.test(text);
}

/** `sha256` or `sha512`: the name node:crypto knows it by. */
export function algorithm(digest: Digest): 'sha256' | 'sha512' {
  return digest.startsWith('sha256:') ? 'sha256' : 'sha512';
}

/** The first twelve digits, as people quote them: `sha256:ab12cd34ef56…`. */
export function short(digest: Digest): string {
  return `${digest.slice(0, 19)}…`;
}
