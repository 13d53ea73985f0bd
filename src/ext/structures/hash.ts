/**
 * The hash of a name in a hashed directory: half MD4, its characters taken as signed.
 * Source: Linux, fs/ext4/hash.c.
 */

/** A hash seed: the 16 bytes of `s_hash_seed` as four words. All zero means the constants of MD4. */
export type HashSeed = Uint32Array;

const MD4 = Uint32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476);
const K2 = 0x5a827999;
const K3 = 0x6ed9eba1;
/** What the highest hash would be is kept for "end of directory". */
const END = 0xfffffffe;

const input = new Int32Array(8);
const state = new Uint32Array(4);

export function hashSeed(uuid: Buffer): HashSeed {
  const seed = Uint32Array.from({ length: 4 }, (_, i) => uuid.readUInt32LE(i * 4));
  return seed.some((word) => word !== 0) ? seed : MD4;
}

/** The hash of a latin1 name; its lowest bit is 0. */
export function hashName(name: string, seed: HashSeed): number {
  state.set(seed);
  for (let at = 0; at < name.length; at += 32) {
    fill(name, at);
    transform();
  }
  const hash = (state[1]! & ~1) >>> 0;
  return hash === END ? END - 2 : hash;
}

/** Spreads up to 32 characters over the eight input words, the first character in the highest byte. */
function fill(name: string, start: number): void {
  const left = name.length - start;
  const length = left & 0xff;
  const pad = length | (length << 8) | (length << 16) | (length << 24);
  let word = 0;
  let value = pad;
  for (let i = 0; i < left && i < 32; i++) {
    value = ((name.charCodeAt(start + i) << 24) >> 24) + (value << 8);
    if (i % 4 !== 3) continue;
    input[word++] = value;
    value = pad;
  }
  if (word < 8) input[word++] = value;
  input.fill(pad, word);
}

const rotate = (x: number, by: number) => (x << by) | (x >>> (32 - by));
const select = (x: number, y: number, z: number) => z ^ (x & (y ^ z));
const majority = (x: number, y: number, z: number) => ((x & y) + ((x ^ y) & z)) | 0;
const parity = (x: number, y: number, z: number) => x ^ y ^ z;

/** Three rounds of eight steps: which function, which constant, which words, which turns. */
const ROUNDS = [
  { mix: select, constant: 0, words: [0, 1, 2, 3, 4, 5, 6, 7], turns: [3, 7, 11, 19] },
  { mix: majority, constant: K2, words: [1, 3, 5, 7, 0, 2, 4, 6], turns: [3, 5, 9, 13] },
  { mix: parity, constant: K3, words: [3, 7, 2, 6, 1, 5, 0, 4], turns: [3, 9, 11, 15] },
] as const;

function transform(): void {
  let a = state[0]! | 0;
  let b = state[1]! | 0;
  let c = state[2]! | 0;
  let d = state[3]! | 0;
  for (const { mix, constant, words, turns } of ROUNDS) {
    for (let step = 0; step < 8; step++) {
      const sum = (a + mix(b, c, d) + input[words[step]!]! + constant) | 0;
      const turned = rotate(sum, turns[step % 4]!);
      a = d;
      d = c;
      c = b;
      b = turned;
    }
  }
  state[0]! += a;
  state[1]! += b;
  state[2]! += c;
  state[3]! += d;
}
