import type { LayerColour } from './colours.js';

/** Where the picture is dark. */
const DARK = '@media (prefers-color-scheme: dark)';

/** The style sheet of the page. Nothing of an image gets in here. */
export function styleSheet(colours: readonly LayerColour[]): string {
  const rules = (scheme: keyof LayerColour) =>
    colours.map((colour, index) => `.k${index + 1}{--fill:${colour[scheme]}}`).join('');
  return `${BASE}\n.k0{--fill:var(--soft)}${rules('light')}\n${DARK}{${rules('dark')}}\n@media print{${rules('light')}}`;
}

const BASE = `
:root{color-scheme:light dark;--back:#fbfbfa;--card:#fff;--text:#1d2126;--quiet:#5b636e;--line:#dfe2e6;--soft:#eceef0;--accent:#1f5fbf;--hatch:#00000059;--edge:#0000002e}
@media (prefers-color-scheme:dark){:root{--back:#14171b;--card:#1b1f24;--text:#e6e9ed;--quiet:#9aa3ae;--line:#30363d;--soft:#272c33;--accent:#7db3ff;--hatch:#ffffff5c;--edge:#00000066}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--text);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main,header,footer{max-width:1240px;margin:0 auto;padding:0 20px}
header{padding-top:28px}
h1{font-size:24px;line-height:1.25;margin:0;overflow-wrap:anywhere}
h2{font-size:17px;margin:32px 0 10px}
.sub{margin:4px 0 0;color:var(--quiet);font-size:13px;overflow-wrap:anywhere}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:10px;margin:20px 0 0}
.facts div{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:10px 14px}
.facts dt{color:var(--quiet);font-size:13px}
.facts dd{margin:0;font-size:21px;font-weight:600;font-variant-numeric:tabular-nums}
.facts dd small{font-size:13px;font-weight:400;color:var(--quiet)}
.bar{display:block;width:100%;height:34px;border-radius:6px;overflow:hidden}
.bar rect{fill:var(--fill);stroke:var(--back);stroke-width:1px;vector-effect:non-scaling-stroke}
.bar .hatched{fill:url(#hatch);stroke:none}
.hatch-line{stroke:var(--hatch);stroke-width:3}
table{border-collapse:collapse;width:100%;font-size:14px}
th{text-align:left;font-weight:500;color:var(--quiet);font-size:13px;border-bottom:1px solid var(--line);padding:5px 8px;white-space:nowrap}
td{padding:5px 8px;border-bottom:1px solid var(--line);vertical-align:baseline}
.number{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
.scroll{overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:8px}
.scroll tr:last-child td{border-bottom:0}
#layers{margin-top:12px}
#layers .command,.mono{font:12.5px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;overflow-wrap:anywhere}
#layers .command{min-width:220px}
.swatch{display:inline-block;width:12px;height:12px;border-radius:3px;background:var(--fill);border:1px solid var(--edge);margin-right:6px;vertical-align:-1px}
button{font:inherit;color:inherit;background:none;border:0;padding:0;cursor:pointer;text-align:left}
.pick{display:inline-flex;align-items:center;padding:1px 8px 1px 4px;border-radius:6px;border:1px solid transparent;font-variant-numeric:tabular-nums;white-space:nowrap}
.pick:hover{border-color:var(--line)}
.pick[aria-pressed=true]{border-color:var(--accent);background:var(--soft)}
:focus-visible{outline:2px solid var(--accent);outline-offset:1px}
.tools{display:flex;flex-wrap:wrap;gap:8px 16px;align-items:center;margin-bottom:10px}
#crumbs{display:flex;flex-wrap:wrap;list-style:none;margin:0;padding:0;font-weight:500;min-width:0;overflow-wrap:anywhere}
#crumbs li:not(:last-child)::after{content:"›";color:var(--quiet);margin:0 6px}
#crumbs button,.path button{color:var(--accent)}
#crumbs button:hover,.path button:hover{text-decoration:underline}
#here{color:var(--quiet);font-size:13px;white-space:nowrap}
.spring{flex:1}
.tools label{font-size:14px;display:inline-flex;gap:6px;align-items:center}
#search{font:inherit;color:inherit;background:var(--card);border:1px solid var(--line);border-radius:6px;padding:4px 10px;width:220px;max-width:100%}
.two{display:grid;grid-template-columns:minmax(0,1.7fr) minmax(0,1fr);gap:16px;align-items:stretch}
#map{position:relative;height:600px;overflow:hidden;border-radius:8px;background:var(--soft);cursor:pointer}
#side{height:600px;overflow:auto;background:var(--card);border:1px solid var(--line);border-radius:8px}
#list-title{margin:0;padding:8px;font-size:14px;font-weight:600;overflow-wrap:anywhere}
#side thead th{position:sticky;top:0;background:var(--card);z-index:1}
.path{overflow-wrap:anywhere;width:100%}
#worst .path{width:60%;min-width:190px}#worst td:last-child{min-width:170px}
.path small{color:var(--quiet)}
.gone .path>:first-child{text-decoration:line-through;text-decoration-color:var(--quiet)}
#side td{vertical-align:top}
.layer{white-space:nowrap}
#more{margin:8px;color:var(--accent)}
#cut{margin:0 8px 8px;color:var(--quiet);font-size:13px}
.cell{position:absolute;overflow:hidden;background-color:var(--fill);border:1px solid var(--edge);border-radius:2px;font-size:12px;line-height:15px}
.cell.tiny{border-width:0;border-radius:0}
.cell.open{background:var(--card);border-color:var(--line)}
.cell.open>.name{font-weight:600}
.cell.more{background-color:color-mix(in srgb,var(--fill) 45%,var(--card))}
.cell.shut{background-color:color-mix(in srgb,var(--fill) 70%,var(--card))}
.cell .name{display:block;padding:0 3px;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.cell>small{display:block;padding:0 3px;overflow:hidden}
.cell small{font-size:11px;opacity:.75;font-weight:400;white-space:nowrap}
.cell.waste{background-image:repeating-linear-gradient(45deg,transparent 0 5px,var(--hatch) 5px 7px)}
.cell.waste .name,.cell.waste>small{background-color:var(--fill);width:fit-content;max-width:100%;border-radius:2px;text-overflow:ellipsis}
.cell.dim{opacity:.18}
.cell:hover:not(.open),.cell.marked{border-color:var(--accent);box-shadow:inset 0 0 0 1px var(--accent)}
.nothing{text-align:center;color:var(--quiet);padding-top:40px}
#tip{position:fixed;z-index:9;max-width:min(440px,calc(100vw - 16px));background:var(--text);color:var(--back);border-radius:6px;padding:7px 11px;font-size:13px;line-height:1.45;pointer-events:none;overflow-wrap:anywhere}
#tip b,#tip span{display:block}
#tip span{display:-webkit-box;-webkit-line-clamp:3;-webkit-box-orient:vertical;overflow:hidden}
[hidden]{display:none!important}
.legend{color:var(--quiet);font-size:13px;margin:8px 0 0}
.hatch-key{display:inline-block;width:22px;height:12px;border-radius:3px;border:1px solid var(--edge);vertical-align:-1px;margin:0 4px;background:var(--soft) repeating-linear-gradient(45deg,transparent 0 4px,var(--hatch) 4px 6px)}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
footer{color:var(--quiet);font-size:13px;padding-top:24px;padding-bottom:32px}
@media (max-width:860px){.two{grid-template-columns:minmax(0,1fr)}#map{height:440px}#side{height:auto;max-height:520px}}
@media (max-width:520px){main,header,footer{padding-left:12px;padding-right:12px}#search{width:100%}.tools .spring{display:none}.facts{grid-template-columns:1fr 1fr}.facts dd{font-size:18px}}
@media print{:root{--back:#fff;--card:#fff;--text:#000;--quiet:#444;--line:#bbb;--soft:#eee;--hatch:#00000059}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}.two{grid-template-columns:minmax(0,1fr)}#map{height:420px;break-inside:avoid}#side{height:auto;max-height:none;overflow:visible}#side thead th{position:static}#search,.tools label,#more,#tip{display:none}tr{break-inside:avoid}h2{break-after:avoid}}
`;
