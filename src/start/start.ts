import type { Directory } from '../rootfs/node.js';
import type { StartFormat } from './formats.js';
import { initOf, noProgram } from './init.js';
import { quoted } from './quoted.js';
import { runtimeSpec } from './runtime-spec.js';
import type { Settings } from './settings.js';

export type { StartFormat } from './formats.js';
/** The face of this room: what an image says of how it is started, and the forms in which runtimes are told. */
export { settingsOf } from './settings.js';

/** The text of a file that tells a runtime. `root` is the tree, `rootPath` where it lies, from where the file is. */
export function startText(
  settings: Settings,
  format: StartFormat,
  root: Directory,
  rootPath: string,
): string {
  if (format === 'env') return `${settings.env.map(assignment).join('\n')}\n`;
  if (format === 'json') return `${JSON.stringify({ version: 1, ...settings }, null, 2)}\n`;
  if (format === 'init') return initOf(settings, root).text;
  if (settings.args.length === 0) throw noProgram();
  return `${JSON.stringify(runtimeSpec(settings, rootPath), null, 2)}\n`;
}

/** A shell's assignment, in the quotes that systemd knows too. */
function assignment(variable: string): string {
  const equals = variable.indexOf('=');
  const [name, value] = equals < 0 ? [variable, ''] : [variable.slice(0, equals), variable.slice(equals + 1)];
  // Linux takes other names too, but neither a shell nor systemd does.
  const comment = /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? '' : '# ';
  return `${comment}${name.replaceAll('\n', ' ')}=${quoted(comment ? value.replaceAll('\n', ' ') : value)}`;
}
