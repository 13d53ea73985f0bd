import { closeSync, openSync, writeSync } from 'node:fs';

const FLUSH = 4 << 20;

/** Writes a plain ustar file: just enough for inputs that are made up here. */
export class TarFile {
  #fd;
  #pending = [];
  #bytes = 0;

  constructor(path) {
    this.#fd = openSync(path, 'wx');
  }

  directory(name) {
    this.#add(header(`${name}/`, '5', 0o755, 0));
  }

  file(name, content) {
    this.#add(header(name, '0', 0o644, content.length));
    this.#add(content);
    const rest = content.length % 512;
    if (rest > 0) this.#add(Buffer.alloc(512 - rest));
  }

  close() {
    this.#add(Buffer.alloc(1024));
    this.#flush();
    closeSync(this.#fd);
  }

  #add(buffer) {
    this.#pending.push(buffer);
    this.#bytes += buffer.length;
    if (this.#bytes >= FLUSH) this.#flush();
  }

  #flush() {
    const all = Buffer.concat(this.#pending);
    for (let at = 0; at < all.length; ) at += writeSync(this.#fd, all, at);
    this.#pending = [];
    this.#bytes = 0;
  }
}

/** One ustar header, owned by root; see POSIX.1-2017, pax, "ustar Interchange Format". */
function header(name, type, mode, size) {
  const block = Buffer.alloc(512);
  const octal = (number, at, width) => block.write(`${number.toString(8).padStart(width - 1, '0')}\0`, at);
  block.write(name, 0, 100, 'latin1');
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size, 124, 12);
  octal(1_700_000_000, 136, 12);
  block.write('        ', 148);
  block.write(type, 156);
  block.write('ustar\x0000', 257);
  octal(
    block.reduce((sum, byte) => sum + byte, 0),
    148,
    7,
  );
  return block;
}
