import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  createReadStream,
  createWriteStream,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { command, isThere } from './command.mjs';

const TAG = 'flatten-bench:latest';
const OCI = 'application/vnd.oci.image';
const ATONCE = 4;

/** Makes `save.tar` (as `docker save`, uncompressed) and `oci/` (each layer gzip -6) in `directory` of layer tars. */
export async function assembleImage(directory, layers) {
  const diffIDs = await eachOf(layers, digestOf);
  const config = JSON.stringify({
    architecture: { x64: 'amd64', ia32: '386' }[process.arch] ?? process.arch,
    os: 'linux',
    created: '2024-01-01T00:00:00Z',
    config: { Cmd: ['/bin/sh'], Env: ['PATH=/usr/bin:/bin'] },
    rootfs: { type: 'layers', diff_ids: diffIDs },
    history: diffIDs.map(() => ({ created: '2024-01-01T00:00:00Z', created_by: 'scripts/bench' })),
  });
  await dockerSave(directory, layers, diffIDs, config);
  await ociLayout(join(directory, 'oci'), layers, config);
}

async function dockerSave(directory, layers, diffIDs, config) {
  const parts = join(directory, 'save');
  mkdirSync(parts);
  const names = diffIDs.map((diffID) => `${hex(diffID)}/layer.tar`);
  for (const [i, name] of names.entries()) {
    mkdirSync(join(parts, hex(diffIDs[i])));
    linkSync(layers[i], join(parts, name));
  }
  const configName = `${hex(digestOfText(config))}.json`;
  writeFileSync(join(parts, configName), config);
  const manifest = [{ Config: configName, RepoTags: [TAG], Layers: names }];
  writeFileSync(join(parts, 'manifest.json'), JSON.stringify(manifest));
  await command('tar', [
    '-cf',
    join(directory, 'save.tar'),
    '-C',
    parts,
    configName,
    ...names,
    'manifest.json',
  ]);
  rmSync(parts, { recursive: true });
}

async function ociLayout(layout, layers, config) {
  const blobs = join(layout, 'blobs/sha256');
  mkdirSync(blobs, { recursive: true });
  const addText = (mediaType, text) => {
    const digest = digestOfText(text);
    writeFileSync(join(blobs, hex(digest)), text);
    return { mediaType, digest, size: Buffer.byteLength(text) };
  };
  const stored = await eachOf(layers, (layer) => storeLayer(blobs, layer));
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: `${OCI}.manifest.v1+json`,
    config: addText(`${OCI}.config.v1+json`, config),
    layers: stored,
  });
  const entry = addText(`${OCI}.manifest.v1+json`, manifest);
  const index = {
    schemaVersion: 2,
    manifests: [{ ...entry, annotations: { 'org.opencontainers.image.ref.name': 'latest' } }],
  };
  writeFileSync(join(layout, 'index.json'), JSON.stringify(index));
  writeFileSync(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
}

async function storeLayer(blobs, layer) {
  const compressed = `${layer}.gz`;
  const child = spawn(isThere('pigz') ? 'pigz' : 'gzip', ['-6nc', layer], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await pipeline(child.stdout, createWriteStream(compressed));
  const digest = await digestOf(compressed);
  renameSync(compressed, join(blobs, hex(digest)));
  return { mediaType: `${OCI}.layer.v1.tar+gzip`, digest, size: statSync(join(blobs, hex(digest))).size };
}

async function eachOf(things, job) {
  const results = [];
  for (let i = 0; i < things.length; i += ATONCE) {
    results.push(...(await Promise.all(things.slice(i, i + ATONCE).map(job))));
  }
  return results;
}

async function digestOf(path) {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk);
  return `sha256:${hash.digest('hex')}`;
}

function digestOfText(text) {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

function hex(digest) {
  return digest.slice('sha256:'.length);
}
