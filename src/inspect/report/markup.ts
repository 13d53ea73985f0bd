/** Text that is markup already. */
export class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text that means itself in HTML and SVG, in elements and in quoted attributes. What XML has no character for becomes a question mark. */
function escaped(text: string): string {
  return text
    .replace(/[&<>"']/g, (character) => ENTITIES[character]!)
    .replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, '?')
    .replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '?');
}

/** Markup with values in it: all but {@link Markup} are escaped; lists are put one after another. */
export function markup(parts: TemplateStringsArray, ...values: readonly unknown[]): Markup {
  const filled = parts.map((part, index) => (index === 0 ? part : valueText(values[index - 1]) + part));
  return new Markup(filled.join(''));
}

function valueText(value: unknown): string {
  if (value instanceof Markup) return value.text;
  if (Array.isArray(value)) return value.map(valueText).join('');
  return escaped(String(value ?? ''));
}
