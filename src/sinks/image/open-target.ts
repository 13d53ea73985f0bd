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
import { DockerForm } from './docker-form.js';
import type { ImageForm } from './form.js';
import { LayoutPlace } from './layout-place.js';
import type { ImageLocation } from './location.js';
import { OciForm } from './oci-form.js';
import type { Store } from './store.js';
import type { Target, TargetOptions } from './target.js';

/** The way on where no engine runs. */
const AS_FILE = 'or write a file for it: {output: docker-archive:image.tar:NAME:TAG}';

/** Makes ready what an image goes to. An output that is in the way or an engine that does not answer is an error now, not later. */
export async function openTarget(
  location: ImageLocation,
  { registries = {}, ...options }: TargetOptions,
  context: Context,
): Promise<Target> {
  const { path, format, reference } = location;
  if (reference !== undefined) {
    const { registryTarget } = await import('./registry-target.js');
    return registryTarget(reference, registries, context);
  }
  if (path === undefined) return engineTarget(location, context);
  if (format === 'oci') return layoutTarget(path, location, options);
  const target = path === '-' ? streamTarget(location, context) : await fileTarget(path, location, options);
  try {
    if (format === 'oci-archive') {
      await target.layers.directory('blobs');
      await target.layers.directory('blobs/sha256');
    }
  } catch (error) {
    await target.discard();
    throw error;
  }
  return target;
}

function formOf({ format, name, tag }: ImageLocation, store: Store): ImageForm {
  if (format === 'oci' || format === 'oci-archive') return new OciForm(new LayoutPlace(store, tag));
  return new DockerForm(store, { name, v1: format === 'docker-archive-v1' });
}

async function layoutTarget(path: string, location: ImageLocation, options: SinkOptions): Promise<Target> {
  const { check, ...staged } = options;
  const staging = await stageLayout(path, staged);
  const store = new DirectoryStore(staging.path);
  return {
    layers: store,
    form: formOf(location, store),
    publish: async () => {
      await store.finish();
      await check?.(`oci:${staging.path}`);
      await staging.publish();
    },
    discard: () => staging.discard(),
  };
}

type ArchiveTarget = Target & { readonly layers: ArchiveStore };

async function fileTarget(
  path: string,
  location: ImageLocation,
  options: SinkOptions,
): Promise<ArchiveTarget> {
  const { check, ...staged } = options;
  const staging = await stageFile(path, staged);
  const fd = openSync(staging.path, 'wx+', 0o666);
  const store = new ArchiveStore(fd);
  let isOpen = true;
  const close = () => {
    if (isOpen) closeSync(fd);
    isOpen = false;
  };
  return {
    layers: store,
    form: formOf(location, store),
    publish: async () => {
      await store.finish();
      close();
      await check?.(
        `${location.format === 'oci-archive' ? 'oci-archive' : 'docker-archive'}:${staging.path}`,
      );
      await staging.publish();
    },
    discard: async () => {
      close();
      await staging.discard();
    },
  };
}

function streamTarget(location: ImageLocation, context: Context): ArchiveTarget {
  return spooled(location, context, async (fd, length) => {
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

async function engineTarget(location: ImageLocation, context: Context): Promise<ArchiveTarget> {
  const engine = await findEngine(context.signal, AS_FILE);
  return spooled(location, context, (fd, length) =>
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
function spooled(
  location: ImageLocation,
  context: Context,
  send: (fd: number, length: number) => Promise<void>,
): ArchiveTarget {
  const fd = unlinkedFile(context.tmp);
  const store = new ArchiveStore(fd);
  let isOpen = true;
  return {
    layers: store,
    form: formOf(location, store),
    publish: async () => {
      await store.finish();
      await send(fd, store.bytes);
    },
    discard: async () => {
      if (isOpen) closeSync(fd);
      isOpen = false;
    },
  };
}
