/** A member of an image archive. */
interface MemberHeader {
  readonly name: string;
  readonly size: number;
  readonly type: 'file' | 'directory';
}

/** The two zero blocks at the end of an archive. */
export const END_LENGTH = 1024;

/** Members of an archive of images say nothing of who made them when, so that the same image is the same archive. */
function entryOf({ name, size, type }: MemberHeader) {
  const mode = type === 'directory' ? 0o755 : 0o644;
  return { name, size, type, mode, uid: 0, gid: 0, mtime: new Date(0) };
}

/** A small member, whole blocks of it. */
export async function member(name: string, body: Buffer): Promise<Buffer> {
  const { pack } = await import('tar-stream');
  const tar = pack();
  tar.entry(entryOf({ name, size: body.length, type: 'file' }), body);
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).subarray(0, -END_LENGTH);
}

/** The header of a directory. */
export function directoryHeader(name: string): Promise<Buffer> {
  return header({ name: `${name}/`, size: 0, type: 'directory' });
}

/** The header of a file whose bytes are written elsewhere: one block for a name of up to 100 bytes. */
export function fileHeader(name: string, size: number): Promise<Buffer> {
  return header({ name, size, type: 'file' });
}

async function header(member: MemberHeader): Promise<Buffer> {
  const { pack } = await import('tar-stream');
  const tar = pack();
  // That the body never comes is its error, and none of ours.
  tar.entry(entryOf(member)).on('error', () => {});
  for await (const chunk of tar as AsyncIterable<Buffer>) return chunk;
  throw new Error('tar-stream gave no header');
}
