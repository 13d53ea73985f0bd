import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { layerColours } from './colours.js';
import type { Facts, LayerRow } from './facts.js';
import { type Markup, markup, Markup as Raw } from './markup.js';
import { pack } from './pack.js';
import { REASONS, showBytes, showCount, showShare } from './page/words.js';
import type { SizeNode } from './size-tree.js';
import { styleSheet } from './style.js';

/** The parts of the page's script, each after those that it needs. */
const SCRIPTS = ['words', 'squarify', 'tree', 'plan', 'explain', 'dom', 'map', 'list', 'main'];

/**
 * The report as one file that needs nothing else. What comes from the image is text in it, escaped, or base64; the only script that may run is
 * the one whose digest the page's policy names.
 */
export function htmlReport(facts: Facts, root: SizeNode): string {
  const style = styleSheet(layerColours(facts.layers.length));
  const code = script();
  const policy = [
    "default-src 'none'",
    `script-src ${source(code)}`,
    `style-src ${source(style)}`,
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
  ].join('; ');
  return markup`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${new Raw(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${facts.name}: what is in the image</title>
<style>${new Raw(style)}</style>
</head>
<body>
${head(facts)}
<main>
${layers(facts)}
${EXPLORER}
${worst(facts)}
</main>
<footer>Sizes are bytes that layers store, without holes of sparse files. Made by flatten.</footer>
<script type="application/octet-stream" id="data">${new Raw(pack(root))}</script>
<script type="module">${new Raw(code)}</script>
</body>
</html>
`.text;
}

function source(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

/** The compiled parts as one module: what they import of each other is above. */
function script(): string {
  const parts = SCRIPTS.map((name) => readFileSync(new URL(`./page/${name}.js`, import.meta.url), 'utf8'));
  return parts
    .join('\n')
    .replace(/^import .*;$/gm, '')
    .replace(/^export \{\};$/gm, '')
    .replace(/^export /gm, '')
    .replace(/^\/\/(\/ <reference|# sourceMappingURL).*$/gm, '')
    .replace(/\n{2,}/g, '\n');
}

function head({ name, platform, digest, bytes, waste, entries, layers: { length } }: Facts): Markup {
  const sub = [platform, digest].filter(Boolean).join(' · ');
  return markup`<header>
<h1>${name.split('/').map((part, index) => markup`${index > 0 ? new Raw('/<wbr>') : ''}${part}`)}</h1>
<p class="sub mono">${sub}</p>
<dl class="facts">
<div><dt>In the layers</dt><dd>${showBytes(bytes)}</dd></div>
<div><dt>In the tree</dt><dd>${showBytes(bytes - waste)}</dd></div>
<div><dt>Not shown (waste)</dt><dd>${showBytes(waste)} <small>${showShare(waste, bytes)}</small></dd></div>
<div><dt>Entries of the tree</dt><dd>${showCount(entries)}</dd></div>
<div><dt>Layers</dt><dd>${showCount(length)}</dd></div>
</dl>
</header>`;
}

function layers({ layers: rows, bytes }: Facts): Markup {
  return markup`<section aria-labelledby="layers-title">
<h2 id="layers-title">Layers, and the commands that made them</h2>
${bar(rows, bytes)}
<div class="scroll" id="layers"><table>
<thead><tr><th>Layer</th><th>Command</th><th class="number">Bytes</th><th class="number">Not shown</th><th class="number">Stored as</th><th class="number">Entries</th></tr></thead>
<tbody>
${rows.map((row) => layerRow(row))}</tbody>
</table></div>
<p class="legend">Choose a layer to see its files alone. <span class="hatch-key"></span> hatched: bytes that a layer carries and the tree does not show.</p>
</section>`;
}

function layerRow({ number, command, bytes, waste, stored, entries }: LayerRow): Markup {
  return markup`<tr><td><button class="pick" data-layer="${number}" aria-pressed="false"><i class="swatch k${number}"></i>${number}</button></td><td class="command">${command}</td><td class="number">${showBytes(bytes)}</td><td class="number">${waste > 0 ? showBytes(waste) : '–'}</td><td class="number">${showBytes(stored)}</td><td class="number">${showCount(entries)}</td></tr>
`;
}

/** One bar: each layer as wide as its bytes, with what does not show hatched. */
function bar(rows: readonly LayerRow[], whole: number): Markup {
  const unit = 1000 / Math.max(1, whole);
  let x = 0;
  const parts = rows.map(({ number, command, bytes, waste }) => {
    const width = bytes * unit;
    const hidden = waste * unit;
    const left = x;
    x += width;
    return markup`<g><title>layer ${number}: ${command}</title><rect class="k${number}" x="${left}" width="${width}" height="34"/>${
      hidden > 0
        ? markup`<rect class="hatched" x="${left + width - hidden}" width="${hidden}" height="34"/>`
        : ''
    }</g>`;
  });
  return markup`<svg class="bar" viewBox="0 0 1000 34" preserveAspectRatio="none" role="img" aria-label="The layers by bytes; the table below has the numbers"><defs><pattern id="hatch" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><line class="hatch-line" x1="0" y1="0" x2="0" y2="8"/></pattern></defs>${parts}</svg>`;
}

const EXPLORER = new Raw(`<noscript><p>The picture needs JavaScript; the tables do not.</p></noscript>
<section id="explorer" aria-labelledby="files-title" hidden>
<h2 id="files-title">Files by size</h2>
<div class="tools"><nav aria-label="Directory"><ol id="crumbs"></ol></nav><span id="here"></span><span class="spring"></span>
<label><input type="checkbox" id="with-waste" checked> Show waste</label>
<input type="search" id="search" placeholder="Search names ( / )" aria-label="Search names" autocomplete="off" spellcheck="false"></div>
<div class="two">
<div id="map" tabindex="0" role="group" aria-label="Map of the directory by size. Arrows go from name to name, Enter goes in, Backspace goes up. The table has the same."></div>
<div id="side" tabindex="-1"><p id="list-title"></p><table><thead><tr><th>Name</th><th class="number">Bytes</th><th class="number">Share</th><th>Layer</th></tr></thead><tbody id="rows"></tbody></table><button id="more" hidden></button><p id="cut"></p></div>
</div>
<div id="tip" role="tooltip" hidden></div>
<p id="said" class="unseen" role="status" aria-live="polite"></p>
</section>`);

function worst({ worst: rows, layers: { length } }: Facts): Markup {
  if (rows.length === 0)
    return markup`<section><h2>What layers carry in vain</h2><p>Nothing: each byte of the ${showCount(length)} layers shows in the tree.</p></section>`;
  return markup`<section aria-labelledby="worst-title">
<h2 id="worst-title">What layers carry in vain, the largest files</h2>
<div class="scroll" id="worst"><table>
<thead><tr><th>Path</th><th class="number">Bytes</th><th>Carried by</th><th>Why it does not show</th></tr></thead>
<tbody>
${rows.map(
  ({ path, bytes, layer, why, by }) =>
    markup`<tr><td class="path mono">${path}</td><td class="number">${showBytes(bytes)}</td><td class="layer"><i class="swatch k${layer}"></i>layer ${layer}</td><td>${REASONS[why] ?? why} by ${by === layer ? 'its own layer' : `layer ${by}`}</td></tr>
`,
)}</tbody>
</table></div>
</section>`;
}
