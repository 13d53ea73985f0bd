/**
 * What compiles and what must not, of the library's public declarations. The compiler runs this: each `@ts-expect-error` fails the
 * build where nothing is wrong behind it.
 */
import type { Readable } from 'node:stream';
import {
  type Artifact,
  type Context,
  contentLayer,
  directory,
  disk,
  FlattenError,
  flatten,
  type Image,
  image,
  imageOf,
  openImage,
  type RunEvent,
  type Sink,
  type Tree,
  tar,
  verify,
} from '../src/index.js';

export async function compiles(stream: Readable, signal: AbortSignal): Promise<void> {
  const opened: Image = await openImage(stream);
  await openImage('oci:layout:tag', {
    platform: 'linux/arm64',
    reference: 'app:1',
    signal,
    maxSize: 2 ** 30,
    digests: false,
  });
  // @ts-expect-error: an image is opened from text or a stream
  await openImage(Buffer.alloc(1));
  // @ts-expect-error: no such option
  await openImage('image.tar', { verify: false });
  // @ts-expect-error: a platform is text
  await openImage('image.tar', { platform: { os: 'linux', architecture: 'amd64' } });

  const tree: Tree = await opened.tree({ include: ['etc'], mkdir: [{ path: '/data', mode: 0o700 }] });
  // @ts-expect-error: which image it is was said before
  await opened.tree({ reference: 'app:1' });
  for (const entry of tree.walk()) {
    const path: string = entry.path;
    const layer: string | undefined = entry.layer?.name;
    if (entry.node.kind === 'symlink') entry.node.target.toUpperCase();
    // @ts-expect-error: not every node has a target
    entry.node.target;
    // @ts-expect-error: an entry is read only
    entry.path = `${path}${layer}`;
  }
  const size: number =
    (await tree.read('etc/passwd')).length + (tree.lookup('etc', { follow: false })?.size ?? 0);
  const artifact: Artifact = await tree.writeTo(
    tar('flat.tar.gz', { compression: 'gzip', verify: size > 0 }),
  );
  artifact.losses.map(({ kind, count }) => `${kind} ${count}`);
  await tree.writeTo(disk('disk.img', { format: 'ext4', free: { percent: 10 }, journal: 'none' }));
  // @ts-expect-error: no such file system
  disk('disk.img', { format: 'xfs' });
  // @ts-expect-error: a directory has no size
  directory('rootfs', { size: 1 });
  // @ts-expect-error: a tar keeps no setuid, it holds it
  tar('flat.tar', { keepSetuid: true });
  image('oci:layout:tag', { changes: ['CMD ["/bin/sh"]'], compression: 'zstd:19' });
  await tree.writeTo(ownSink);
  // @ts-expect-error: a sink has a function that writes
  await tree.writeTo({ put: async () => {} });
  imageOf({ name: 'mine', layers: [contentLayer({ name: 'one', content: Buffer.alloc(1024) })] }, { signal });
  // @ts-expect-error: a layer's content is bytes, or a function that gives a stream
  contentLayer({ name: 'one', content: 'path.tar' });

  const result = await flatten({ input: 'image.tar', output: 'rootfs/', onEvent });
  await flatten({
    input: 'image.tar',
    output: 'oci:a',
    reference: 'app:1',
    image: { last: 2, message: 'x' },
  });
  // @ts-expect-error: what is written is described, what is read has a reference
  await flatten({ input: 'image.tar', output: 'oci:a', image: 'app:1' });
  // @ts-expect-error: no such option
  await flatten({ input: 'image.tar', output: 'oci:a', squash: { last: 2 } });
  const format: 'directory' | string = result.format;
  // @ts-expect-error: an output is needed
  await flatten({ input: 'image.tar' });
  const { counts } = await verify({ input: 'image.tar', output: format, limit: 10 });
  const missing: number | undefined = counts.missing;
  // @ts-expect-error: no such kind of difference
  counts.gone;
  throw new FlattenError('IO', `${missing}`, { path: 'etc' });
}

const ownSink: Sink = {
  async write(tree: Tree, context: Context): Promise<Artifact> {
    context.signal.throwIfAborted();
    return { output: 'nowhere', entries: tree.entries, bytes: tree.bytes, losses: [] };
  },
};

function onEvent(event: RunEvent): string {
  if (event.type === 'warning') {
    // @ts-expect-error: no such code
    if (event.code === 'ODD') return '';
    return event.code === 'IDLE_GLOB' ? '' : event.message;
  }
  const known: number = event.done;
  // @ts-expect-error: of a stream the total is not known
  const total: number = event.total;
  return `${event.phase} ${known} ${total}`;
}

export function failed(error: FlattenError): string {
  if (error.code === 'OUTPUT_EXISTS') return error.hint ?? '';
  // @ts-expect-error: no such code
  if (error.code === 'EXISTS') return '';
  return `${error.layer} ${error.path} ${error.option}`;
}
