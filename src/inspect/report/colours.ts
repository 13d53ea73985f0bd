/** The colours of a layer, as `#rrggbb`. */
export interface LayerColour {
  readonly light: string;
  readonly dark: string;
}

/** Turns of the hue from one layer to the next: neighbours are far apart, and the first few are all different. */
const TURN = 137.508;
const FIRST = 250;

/** One colour for each layer, all of one lightness, so that none stands out, and text is legible on each. */
export function layerColours(count: number): LayerColour[] {
  return Array.from({ length: count }, (_, index) => {
    const hue = (FIRST + index * TURN) % 360;
    return { light: oklch(0.82, 0.095, hue), dark: oklch(0.46, 0.085, hue) };
  });
}

/** Björn Ottosson's OKLCH in sRGB: https://bottosson.github.io/posts/oklab/. */
function oklch(lightness: number, chroma: number, hue: number): string {
  const a = chroma * Math.cos((hue * Math.PI) / 180);
  const b = chroma * Math.sin((hue * Math.PI) / 180);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const linear = [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
  return `#${linear.map((value) => channel(value).toString(16).padStart(2, '0')).join('')}`;
}

function channel(linear: number): number {
  const value = Math.min(1, Math.max(0, linear));
  const encoded = value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055;
  return Math.round(255 * encoded);
}
