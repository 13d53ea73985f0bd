/** Arrays that every thread sees, without a copy. */
export function sharedUint32(length: number): Uint32Array {
  return new Uint32Array(new SharedArrayBuffer(length * 4));
}

export function sharedFloat64(length: number): Float64Array {
  return new Float64Array(new SharedArrayBuffer(length * 8));
}

/** Latin1 names, one after another; name `i` ends at `ends[i]`. */
export function packNames(names: readonly string[]): { names: Uint8Array; ends: Uint32Array } {
  const ends = sharedUint32(names.length);
  let total = 0;
  for (let i = 0; i < names.length; i++) ends[i] = total += names[i]!.length;
  const bytes = Buffer.from(new SharedArrayBuffer(total));
  let at = 0;
  for (const name of names) at += bytes.write(name, at, 'latin1');
  return { names: bytes, ends };
}
