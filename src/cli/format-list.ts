/** Formats for the help, each with the endings that it takes: `directory, tar[.gz|.zst], ext2[.gz|.zst]`. */
export function formatList(formats: readonly string[]): string {
  const endings = new Map<string, string[]>();
  for (const format of formats) {
    const dot = format.indexOf('.');
    const name = dot < 0 ? format : format.slice(0, dot);
    endings.set(name, [...(endings.get(name) ?? []), ...(dot < 0 ? [] : [format.slice(dot)])]);
  }
  return [...endings]
    .map(([name, more]) => (more.length === 0 ? name : `${name}[${more.join('|')}]`))
    .join(', ');
}
