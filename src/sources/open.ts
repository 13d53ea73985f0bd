import { closeSync, openSync, type Stats, statSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { compressionOfRange, decompress } from '../compression/decompress.js';
import type { Context } from '../context.js';
import { FlattenError, ioError } from '../errors.js';
import type { ByteRange } from '../host/bytes.js';
import { InputBounds } from '../layer/input-bounds.js';
import { Meter } from '../meter.js';
import type { RegistryOptions } from '../registry/open.js';
import { Allowance } from '../threads/allowance.js';
import { Archive } from './archive.js';
import { DirectoryMembers } from './directory.js';
import { Envelope } from './envelope.js';
import type { Choice, ClosableImage, Images, OpenedImage } from './image.js';
import type { Members } from './members.js';
import { nearImage, noRootfs } from './near-image.js';
import { openBy, readings } from './recognise.js';
import { directoryRootfs, tarRootfs } from './rootfs.js';
import { ofArchive, pipe, spool, standardInput } from './spool.js';
import type { EngineInput, Format, Input, StoredInput } from './transport.js';

/** How {@link openOne} is to go about it. */
export interface OpenOptions {
  /** Paths that are no part of a root filesystem although they lie in its directory, such as the output. */
  readonly exclude?: readonly string[];
  /** Refuse an image: a root filesystem is wanted. */
  readonly rootfsOnly?: boolean;
  /** How registries are spoken with. */
  readonly registries?: RegistryOptions;
}

/**
 * Opens the image that `input` and `choice` mean; an input may be a stream of an archive too.
 *
 * An image is told from a root filesystem by what is in it, never by its name. All JSON has been read and checked when
 * this resolves, no layer has. The caller closes the image, after all that was made of it.
 */
export async function openOne(
  input: Input | Readable,
  choice: Choice,
  context: Context,
  options: OpenOptions = {},
): Promise<ClosableImage> {
  const { images, close } = await openImages(input, { ...choice, everyPlatform: false }, context, options);
  return { ...images[0]!, close };
}

/** Opens the images that `choice` means: one, as {@link openOne} does, or with `everyPlatform` one for each platform. */
export async function openImages(
  input: Input | Readable,
  choice: Choice,
  context: Context,
  options: OpenOptions = {},
): Promise<Images> {
  const bounds = new InputBounds(context.limits);
  if (!('kind' in input)) {
    const stored = await spool(input, 'the stream', context, bounds);
    return openFile(stored, { name: 'the stream', format: 'any' }, choice, { context, bounds, options });
  }
  if (input.kind !== 'stored' && input.kind !== 'web' && options.rootfsOnly) throw notRootfs(input.text);
  if (input.kind === 'engine') return openKept(input, choice, { context, bounds, options });
  if (input.kind === 'registry') {
    // What speaks with registries is loaded where one is asked for.
    const { openRemote } = await import('./remote.js');
    return openRemote(input, choice, { context, bounds, options: options.registries ?? {} });
  }
  if (input.kind === 'web') {
    const { downloaded } = await import('./web.js');
    const stored = await downloaded(input, context, bounds);
    return openFile(stored, { name: input.text, format: input.format }, choice, { context, bounds, options });
  }
  const { path, format } = input;
  const meant = withName(choice, input.image);
  const isStandard = path === '-';
  const stat = isStandard ? undefined : await statOf(input, context);
  if (stat?.isDirectory()) return openDirectory(input, meant, context, options);
  const stored = await (stat ? fileAt(path, stat, context, bounds) : standardInput(context, bounds));
  const named = { name: isStandard ? 'standard input' : path, format };
  return openFile(stored, named, meant, { context, bounds, options });
}

/** An image in an engine, by way of the archive that it saves. */
async function openKept(input: EngineInput, choice: Choice, means: Means): Promise<Images> {
  const { text: name } = input;
  const stored = await savedByEngine(input, choice, means);
  const opened = await openFile(stored, { name, format: 'any' }, choice, means);
  if (opened.images[0]!.kind !== 'rootfs') return opened;
  await opened.close();
  throw new FlattenError('BAD_IMAGE', `${name}: what the engine sent is no image`);
}

function notRootfs(name: string): FlattenError {
  return new FlattenError('UNSUPPORTED', `${name}: is an image, and a root filesystem is wanted here`, {
    hint: `to flatten the image: flatten ${name} -o OUTPUT`,
  });
}

async function savedByEngine(
  input: EngineInput,
  choice: Choice,
  { context, bounds }: Means,
): Promise<ByteRange> {
  try {
    return await spool(
      await (await import('./engine.js')).savedImage(input, choice, context),
      input.text,
      context,
      bounds,
    );
  } catch (error) {
    throw (await import('../engine/trouble.js')).withEngineHint(error);
  }
}

function withName(choice: Choice, image: string | undefined): Choice {
  if (image === undefined || choice.image === image) return choice;
  if (choice.image === undefined) return { ...choice, image };
  throw new FlattenError('USAGE', `image ${choice.image}: is not ${image}, which the reference names`, {
    hint: 'name the image once: either after the path or with {reference}',
  });
}

async function statOf({ path, format }: StoredInput, { signal }: Context): Promise<Stats> {
  try {
    return statSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw ioError(error, `reading ${path}`);
    // A word such as `alpine:3.20` is an image's name, not a path that was mistyped.
    const isName =
      format === 'any' &&
      /^[a-z0-9][a-z0-9._/-]*(:[\w.-]+)?$/.test(path) &&
      !/\.(tar|gz|tgz|xz|zst|bz2)$/.test(path);
    throw new FlattenError('NOT_FOUND', `${path}: no such file or directory`, {
      ...(isName && { hint: await (await import('./bare-name.js')).bareNameHint(path, signal) }),
      cause: error,
    });
  }
}

async function fileAt(path: string, stat: Stats, context: Context, bounds: InputBounds): Promise<ByteRange> {
  if (stat.isFIFO()) return pipe(path, context, bounds);
  if (!stat.isFile()) throw new FlattenError('UNSUPPORTED', `${path}: is neither a file nor a directory`);
  bounds.add(stat.size);
  try {
    return { fd: openSync(path, 'r'), offset: 0, length: stat.size };
  } catch (error) {
    throw ioError(error, `opening ${path}`);
  }
}

/** A file, as messages call it, and what its transport says it is. */
interface Named {
  readonly name: string;
  readonly format: Format;
}

interface Means {
  readonly context: Context;
  readonly bounds: InputBounds;
  readonly options: OpenOptions;
}

async function openFile(
  stored: ByteRange,
  { name, format }: Named,
  choice: Choice,
  { context, bounds, options }: Means,
): Promise<Images> {
  const file = await uncompressed(name, stored, format, context, bounds);
  const archive = new Archive(name, file.range, file.close);
  return owned(new Envelope(archive, bounds), (envelope) => {
    const rootfs = tarRootfs(name, file.range, bounds);
    if (format === 'rootfs') return onlyRootfs(rootfs, choice);
    archive.scan(context, () => readings(envelope, 'any').length > 0 || nearImage(archive) !== undefined);
    const found = archive.whole ? readings(envelope, format) : [];
    if (found.length > 0) return openBy(allowed(found, name, options), choice, context);
    if (archive.whole) refuseNear(archive);
    return onlyRootfs(rootfs, choice);
  });
}

function openDirectory(
  { path, format }: StoredInput,
  choice: Choice,
  context: Context,
  options: OpenOptions,
): Images {
  const bounds = new InputBounds(context.limits);
  return owned(new Envelope(new DirectoryMembers(path, bounds), bounds), (envelope) => {
    const found = format === 'rootfs' ? [] : readings(envelope, format);
    if (found.length > 0) return openBy(allowed(found, path, options), choice, context);
    if (format !== 'rootfs') refuseNear(envelope.members);
    return onlyRootfs(directoryRootfs(path, options.exclude ?? []), choice);
  });
}

/** Images that close their envelope, which is closed at once where no image comes of it. */
function owned(envelope: Envelope, open: (envelope: Envelope) => readonly OpenedImage[]): Images {
  try {
    return { images: open(envelope), close: async () => envelope.close() };
  } catch (error) {
    envelope.close();
    throw error;
  }
}

/** The readings of an image, where one is wanted. */
function allowed<T>(found: T, name: string, { rootfsOnly = false }: OpenOptions): T {
  if (!rootfsOnly) return found;
  throw new FlattenError('UNSUPPORTED', `${name}: is an image, and a root filesystem is wanted here`, {
    hint: `to flatten the image: flatten ${name} -o OUTPUT\nif its files are meant as they lie, say so: rootfs:${name}`,
  });
}

function refuseNear(members: Members): void {
  const near = nearImage(members);
  if (near !== undefined) throw noRootfs(members.name, near);
}

function onlyRootfs(rootfs: OpenedImage, { image }: Choice): readonly OpenedImage[] {
  if (image === undefined) return [rootfs];
  throw new FlattenError('NOT_FOUND', `${rootfs.name}: is a root filesystem and holds no image ${image}`);
}

/** A file without its compression. A root filesystem that is said to be one keeps it: its layer sees to that itself. */
async function uncompressed(
  name: string,
  stored: ByteRange,
  format: Format,
  context: Context,
  { temporary, counts }: InputBounds,
) {
  const close = () => closeSync(stored.fd);
  try {
    if (stored.length === 0) throw new FlattenError('BAD_IMAGE', `${name}: is empty`);
    if (format === 'rootfs' || compressionOfRange(stored) === 'none') return { range: stored, close };
    const allowances = [new Allowance(context.limits.maxSize), temporary];
    const explain = (error: FlattenError, content: ByteRange) => ofArchive(error, name, content);
    const meter = new Meter(context, 'open', stored.length);
    const onProgress = (done: number) => meter.at(done);
    const result = await decompress(stored, context, { allowances, counts, explain, onProgress });
    meter.end();
    close();
    return { range: result.range, close: () => result.close() };
  } catch (error) {
    close();
    throw error;
  }
}
