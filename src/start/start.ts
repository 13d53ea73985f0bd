import { FlattenError } from '../errors.js';
import type { StartFormat } from './formats.js';
import { runtimeSpec } from './runtime-spec.js';
import type { Settings } from './settings.js';

export type { StartFormat } from './formats.js';
/** The face of this room: what an image says of how it is started, and the forms in which runtimes are told. */
export { settingsOf } from './settings.js';

/** The text of a file that tells a runtime. `root` is the path of the root filesystem, from where the file is. */
export function startText(settings: Settings, format: StartFormat, root: string): string {
  if (format === 'env') return `${settings.env.map(assignment).join('\n')}\n`;
  if (format === 'json') return `${JSON.stringify({ version: 1, ...settings }, null, 2)}\n`;
  if (settings.args.length === 0) {
    throw new FlattenError('UNSUPPORTED', 'the config names no program to run, and a runtime wants one', {
      hint: 'the image may be no program: write json, and start what you like',
    });
  }
  return `${JSON.stringify(runtimeSpec(settings, root), null, 2)}\n`;
}

/** A shell's assignment, in the quotes that systemd knows too. */
function assignment(variable: string): string {
  const equals = variable.indexOf('=');
  const [name, value] = equals < 0 ? [variable, ''] : [variable.slice(0, equals), variable.slice(equals + 1)];
  // Linux takes other names too, but neither a shell nor systemd does.
  const comment = /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? '' : '# ';
  return `${comment}${name.replaceAll('\n', ' ')}='${(comment ? value.replaceAll('\n', ' ') : value).replaceAll("'", `'\\''`)}'`;
}
