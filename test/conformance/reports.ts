import type { Result } from './run-case.js';

/** `08-whiteouts/file`, and how its image was stored where it was not a layout. */
function nameOf({ one, form }: Pick<Result, 'one' | 'form'>): string {
  return form === 'oci' ? one.name : `${one.name} as ${form}`;
}

/** `rule 8`, `rules 3, 8`. */
function rulesOf({ rules }: Result['one']): string {
  return `rule${rules.length > 1 ? 's' : ''} ${rules.join(', ')}`;
}

/** A result in one line of the Test Anything Protocol. */
export function tapLine({ one, form, failure }: Result, number: number): string {
  const name = nameOf({ one, form });
  if (failure === undefined) return `ok ${number} - ${name}`;
  return `not ok ${number} - ${name}: ${rulesOf(one)}: ${failure.replaceAll('#', '\\#')}`;
}

/** The results as JUnit's XML, which the services that run tests show. */
export function junit(results: readonly Result[], command: string): string {
  const failed = results.filter(({ failure }) => failure !== undefined).length;
  const time = results.reduce((sum, { seconds }) => sum + seconds, 0).toFixed(3);
  const counts = `tests="${results.length}" failures="${failed}" time="${time}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${counts}>`,
    `  <testsuite name="${xml(command)}" ${counts}>`,
    ...results.map(testcase),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function testcase(result: Result): string {
  const { one, failure, seconds } = result;
  const [folder] = one.name.split('/');
  const start = `    <testcase classname="${folder}" name="${xml(nameOf(result))}" time="${seconds.toFixed(3)}"`;
  if (failure === undefined) return `${start}/>`;
  return `${start}><failure message="${xml(`${rulesOf(one)}: ${failure}`)}"/></testcase>`;
}

function xml(text: string): string {
  const names: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replace(/[&<>"]/g, (char) => names[char]!).replace(/[^\x20-\x7e]/g, '?');
}

/** The results as JSON. */
export function json(results: readonly Result[], command: string): string {
  const list = results.map(({ one, form, failure, seconds }) => ({
    case: one.name,
    title: one.title,
    rules: one.rules,
    spec: one.spec,
    reports: one.reports,
    as: form,
    passed: failure === undefined,
    ...(failure !== undefined && { failure }),
    seconds: Number(seconds.toFixed(3)),
  }));
  const failed = list.filter(({ passed }) => !passed).length;
  return `${JSON.stringify({ command, passed: list.length - failed, failed, results: list }, null, 2)}\n`;
}
