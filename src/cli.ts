#!/usr/bin/env node
// Nothing is imported before this runs: with very few descriptors a module cannot even be opened.
try {
  await import('./cli/main.js');
} catch (error) {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== 'EMFILE' && code !== 'ENFILE') throw error;
  process.stderr.write(`flatten: error: ${message}\n  raise the limit with \`ulimit -n 4096\`\n`);
  process.exitCode = 1;
}
export {};
