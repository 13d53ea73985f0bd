import { join } from 'node:path';
import { TarFile } from './tar-file.mjs';

/**
 * Writes the layers of an image of made-up files, and gives their paths, base first. The same every time.
 * @param {{layers: number, files: number, perDirectory: number, size: (index: number) => number, name?: string}} shape `name` tells layers apart that would be the same
 */
export function makeUpLayers(directory, shape) {
  const text = makeUpText(8 << 20);
  const perLayer = Math.ceil(shape.files / shape.layers);
  const paths = [];
  for (let layer = 0; layer < shape.layers; layer++) {
    const path = join(directory, `${layer}.tar`);
    const tar = new TarFile(path);
    for (let i = layer * perLayer; i < Math.min(shape.files, (layer + 1) * perLayer); i++) {
      const root = shape.name ?? 'data';
      const parent = `${root}/${Math.floor(i / shape.perDirectory)}`;
      if (i === layer * perLayer) tar.directory(root);
      if (i === layer * perLayer || i % shape.perDirectory === 0) tar.directory(parent);
      tar.file(`${parent}/file-${i}.txt`, slice(text, i, shape.size(i)));
    }
    tar.close();
    paths.push(path);
  }
  return paths;
}

/** Words that gzip makes about three times smaller, as it does programs and documents. */
function makeUpText(length) {
  const text = Buffer.alloc(length);
  let state = 42;
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 8;
  };
  const words = Array.from({ length: 5000 }, () => `${random().toString(36)} `);
  for (let at = 0; at < length; ) at += text.write(words[random() % words.length], at, 'latin1');
  return text;
}

function slice(text, index, size) {
  if (size > text.length) throw new Error(`${size} bytes: more than there is text for`);
  const start = (index * 7919) % (text.length - size);
  return text.subarray(start, start + size);
}
