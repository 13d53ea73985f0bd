import { openSync } from 'node:fs';
import { readExt } from '../../src/ext/read.js';
for (const f of process.argv.slice(2)) {
  console.time(f);
  const r = readExt(openSync(f, 'r'));
  console.timeEnd(f);
  console.log(r.entries, r.inodes, r.bytes, r.root.children.get('a'), r.root.children.get('dev'));
}
