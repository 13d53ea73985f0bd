import { closeSync, openSync } from 'node:fs';
import { Readable } from 'node:stream';
import type { Context } from '../../context.js';
import { findEngine } from '../../engine/find.js';
import type { ByteRange } from '../../host/bytes.js';
import { chunksOf } from '../../host/bytes.js';
import { unlinkedFile } from '../../host/unlinked-file.js';
import { Meter } from '../../meter.js';
import { toStandardOutput } from '../archive/writer.js';
import type { SinkOptions } from '../sink.js';
import { stageFile, stageLayout } from '../staging.js';
import { ArchiveStore } from './archive-store.js';
import { DirectoryStore } from './directory-store.js';
import type { ImageFormat, ImageLocation } from './location.js';
import type { Store } from './store.js';

/** The way on where no engine runs. */
const AS_FILE = 'or write a file for it: {output: docker-archive:image.tar:NAME:TAG}';

/** Where an image is put together, and how it gets from there to where it is wanted. */
export interface Target {
  readonly store: Store;
  /** Hands over what is finished. */
  publish(): Promise<void>;
  /** Takes away what was not published; harmless after. Never throws. */
  discard(): Promise<void>;
}

/** Makes ready what an image goes to. An output that is in the way or an engine that does not answer is an error now, not later. */
export async function openTarget(
  location: ImageLocation,
  options: SinkOptions,
  context: Context,
): Promise<Target> {
  const { path, format } = location;
  if (path === undefined) return engineTarget(context);
  if (format === 'oci') return layoutTarget(path, options);
  const target = path === '-' ? streamTarget(context) : await fileTarget(path, format, options);
  try {
    if (format === 'oci-archive') {
      await target.store.directory('blobs');
      await target.store.directory('blobs/sha256');
    }
  } catch (error) {
    await target.discard();
    throw error;
  }
  return target;
}

async function layoutTarget(path: string, options: SinkOptions): Promise<Target> {
  const { check, ...staged } = options;
  const staging = await stageLayout(path, staged);
  return {
    store: new DirectoryStore(staging.path),
    publish: async () => {
      await check?.(`oci:${staging.path}`);
      await staging.publish();
    },
    discard: () => staging.discard(),
  };
}

type ArchiveTarget = Target & { readonly store: ArchiveStore };

async function fileTarget(path: string, format: ImageFormat, options: SinkOptions): Promise<ArchiveTarget> {
  const { check, ...staged } = options;
  const staging = await stageFile(path, staged);
  const fd = openSync(staging.path, 'wx+', 0o666);
  let isOpen = true;
  const close = () => {
    if (isOpen) closeSync(fd);
    isOpen = false;
  };
  return {
    store: new ArchiveStore(fd),
    publish: async () => {
      close();
      await check?.(`${format === 'oci-archive' ? format : 'docker-archive'}:${staging.path}`);
      await staging.publish();
    },
    discard: async () => {
      close();
      await staging.discard();
    },
  };
}

function streamTarget(context: Context): ArchiveTarget {
  return spooled(context, async (fd, length) => {
    const write = toStandardOutput(context.signal);
    const buffer = Buffer.alloc(1 << 20);
    const meter = new Meter(context, 'send', length);
    for (const chunk of chunksOf({ fd, offset: 0, length }, buffer)) {
      await write(chunk);
      meter.add(chunk.length);
    }
    meter.end();
  });
}

async function engineTarget(context: Context): Promise<ArchiveTarget> {
  const engine = await findEngine(context.signal, AS_FILE);
  return spooled(context, (fd, length) =>
    engine.load(Readable.from(sent({ fd, offset: 0, length }, context)), length, context.signal),
  );
}

/** The chunks of a file, each its own, while they are taken. */
function* sent(range: ByteRange, context: Context): Generator<Buffer> {
  const meter = new Meter(context, 'send', range.length);
  for (const chunk of chunksOf(range, Buffer.alloc(1 << 20))) {
    yield Buffer.from(chunk);
    meter.add(chunk.length);
  }
  meter.end();
}

/** An archive cannot be sent on before it is whole: its first member has the digest of the layer in its name. */
function spooled(context: Context, send: (fd: number, length: number) => Promise<void>): ArchiveTarget {
  const fd = unlinkedFile(context.tmp);
  const store = new ArchiveStore(fd);
  let isOpen = true;
  return {
    store,
    publish: () => send(fd, store.bytes),
    discard: async () => {
      if (isOpen) closeSync(fd);
      isOpen = false;
    },
  };
}
