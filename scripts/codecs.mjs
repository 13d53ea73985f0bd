// Copies the WebAssembly codecs into the build: dist/src/compression/wasm/. They are development packages and not dependencies,
// since to install them would ask for a newer Node than they need (libdeflate), or run a script that may build native code
// (@cloudpss/zstd); and they are a tenth of their packages.
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const FILES = {
  libdeflate: ['index.js', 'dist/libdeflate.wasm.mjs', 'LICENSE.txt'],
  '@cloudpss/zstd': ['dist/wasm.js', 'dist/common.js', 'dist/config.js', 'prebuilds/zstd.js', 'LICENSE'],
};

const from = new URL('../node_modules/', import.meta.url);
const to = new URL('../dist/src/compression/wasm/', import.meta.url);
rmSync(to, { recursive: true, force: true });
for (const [name, files] of Object.entries(FILES)) {
  for (const file of files) {
    const target = fileURLToPath(new URL(`${name}/${file}`, to));
    mkdirSync(dirname(target), { recursive: true });
    cpSync(fileURLToPath(new URL(`${name}/${file}`, from)), target);
  }
}
