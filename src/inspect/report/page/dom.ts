/// <reference lib="dom" />
/// <reference lib="dom.iterable" />

/** Makes an element. Text of an image gets into the page as text alone, never as markup. */
export function make(tag: string, className = '', text = ''): HTMLElement {
  const element = document.createElement(tag);
  if (className !== '') element.className = className;
  if (text !== '') element.textContent = text;
  return element;
}

/** The element with an id, which the page has. */
export function byId(id: string): HTMLElement {
  return document.getElementById(id)!;
}

/** The class that has the colour of a layer. */
export function colourOf(layer: number): string {
  return layer > 0 ? `k${layer}` : 'k0';
}
