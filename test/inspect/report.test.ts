import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { hierarchy, treemap, treemapSquarify } from 'd3-hierarchy';
import fc from 'fast-check';
import { openImage } from '../../src/index.js';
import { planCells } from '../../src/inspect/report/page/plan.js';
import { squarify } from '../../src/inspect/report/page/squarify.js';
import { type PageNode, unpack } from '../../src/inspect/report/page/tree.js';
import { showBytes } from '../../src/inspect/report/page/words.js';
import { type ReportFormat, reportText } from '../../src/inspect/report.js';
import { openInBrowser } from '../support/browser.js';
import { ociFiles, tarOf } from '../support/image.js';
import { needs } from '../support/needs.js';
import { run } from '../support/program.js';
import { PROJECT } from '../support/project.js';
import { scratch } from '../support/scratch.js';
import { runs } from '../support/stacks.js';
import { archive, type Member } from '../support/tar.js';

const DEMO = join(PROJECT, 'test/images/demo.tar');

const file = (path: string, size: number, more: Partial<Member> = {}): Member => ({
  path,
  body: Buffer.alloc(size, 'x'),
  ...more,
});

/** Names that would run a script, were they markup. */
const EVIL = [
  '<img src=x onerror=alert(1)>',
  '"><svg onload=alert(2)>',
  "'-alert(3)-'",
  '</script><script>alert(4)</script>',
  '--><script>alert(5)</script>',
  '${alert(6)}`',
  '\u2028alert(7)\x1b[2J\ud800',
];

const LAYERS: readonly (readonly Member[])[] = [
  [
    file('usr/bin/tool', 50_000),
    file('usr/bin/gone', 30_000),
    file('usr/lib/data', 20_000),
    file('etc/a', 10),
  ],
  [
    file('usr/bin/.wh.gone', 0),
    file('usr/lib/data', 25_000),
    file('var/first', 9000),
    { path: 'var/second', typeflag: '1', linkpath: 'var/first' },
    ...EVIL.map((name, index) => file(`evil/${Buffer.from(name).toString('latin1')}`, 4000 + index)),
  ],
];
const COMMANDS = ['FROM <script>alert(8)</script>', 'RUN </td><script>alert(9)</script> && echo "&amp;"'];
const BYTES = 100_010 + 34_000 + EVIL.reduce((sum, _, index) => sum + 4000 + index, 0);
const WASTE = 50_000;

/** The report of an image with these layers, as a file. */
async function report(
  t: TestContext,
  format: ReportFormat,
  layers: readonly (readonly Member[])[] = LAYERS,
): Promise<{ path: string; text: string }> {
  const cwd = scratch(t);
  const config = { history: COMMANDS.map((created_by) => ({ created_by })) };
  const files = ociFiles(
    layers.map((members) => ({ tar: archive(members) })),
    { config, tag: 'app:1' },
  );
  writeFileSync(join(cwd, 'image.tar'), tarOf(files));
  await using image = await openImage(join(cwd, 'image.tar'));
  await using history = await image.history();
  const text = await reportText(history, format);
  const path = join(cwd, `report.${format}`);
  writeFileSync(path, text);
  return { path, text };
}

test(
  'the page opens without a network, and is driven by clicks, by keys and by search',
  { skip: needs('chromium') },
  async (t) => {
    const { path } = await report(t, 'html');
    const { page, requests, trouble } = await openInBrowser(t, path);
    await page.waitForSelector('.cell');
    const rows = () => page.locator('#rows tr td:first-child').allTextContents();
    const crumbs = () => page.locator('#crumbs').innerText();
    assert.deepEqual(await rows(), ['usr/', 'evil/', 'var/', 'etc/']);

    // Sums: by the bytes of the layers, not by ours.
    const facts = await page.locator('.facts dd').allTextContents();
    assert.equal(facts[0], showBytes(BYTES));
    assert.equal(facts[1], showBytes(BYTES - WASTE));
    assert.ok(facts[2]!.startsWith(`${showBytes(WASTE)} `), facts[2]);
    assert.deepEqual(
      await page.locator('#layers tbody td:nth-child(3)').allTextContents(),
      [100_010, BYTES - 100_010].map(showBytes),
    );

    await page
      .locator('.cell', { hasText: 'usr/' })
      .first()
      .click({ position: { x: 5, y: 5 } });
    await page.waitForFunction(() => location.hash === '#usr');
    assert.match(await crumbs(), /usr$/);
    assert.deepEqual(await rows(), ['bin/', 'lib/']);
    await page.goBack();
    await page.waitForFunction(() => document.querySelectorAll('#rows tr').length === 4);

    await page.locator('#map').focus();
    await page.keyboard.press('ArrowRight');
    assert.match((await page.locator('#said').textContent())!, /^usr: /);
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => location.hash === '#usr');
    await page.keyboard.press('Backspace');
    await page.waitForFunction(() => document.querySelectorAll('#rows tr').length === 4);

    await page.fill('#search', 'DATA');
    assert.deepEqual(await rows(), ['usr/lib/data', 'usr/lib/data overwritten by layer 2']);
    await page.locator('#rows button').first().click();
    await page.waitForFunction(() => location.hash === '#usr%2Flib');
    await page.uncheck('#with-waste');
    assert.deepEqual(await rows(), ['data']);
    await page.locator('.cell').first().hover();
    assert.match(
      (await page.locator('#tip').innerText()).replaceAll('\n', ' '),
      /^\/usr\/lib\/data 25\.0 kB, .* from layer 2: RUN <\/td>/,
    );

    assert.deepEqual(requests, [`file://${path}`]);
    assert.deepEqual(trouble, []);
  },
);

test('no name runs a script, and names stand there as they are', { skip: needs('chromium') }, async (t) => {
  const { path, text } = await report(t, 'html');
  const { page, trouble } = await openInBrowser(t, `${path}#evil`);
  await page.waitForSelector('.cell');
  const rows = (await page.locator('#rows tr td:first-child').allTextContents()).join('\n');
  for (const name of [
    '<img src=x onerror=alert(1)>',
    '"><svg onload=alert(2)>',
    "'-alert(3)-'",
    '${alert(6)}`',
    '\\x1b[2J',
  ])
    assert.ok(rows.includes(name), name);
  assert.equal(await page.locator('img, iframe, object, a').count(), 0);
  assert.equal(await page.locator('script').count(), 2);
  assert.ok((await page.locator('#layers').innerText()).includes(COMMANDS[1]!));
  await page.fill('#search', '<img src=x onerror=alert(1)>');
  await page.locator('#rows button').first().hover();
  assert.deepEqual(trouble, []);
  // What would be added to the page all the same does not run: markup and handlers are refused, and so is any script but the one.
  const refused = await page.evaluate(() => {
    const attempts = [
      () => {
        document.body.innerHTML = '<img src=x: onerror="document.title = `ran`">';
      },
      () => document.createElement('img').setAttribute('onerror', 'document.title = "ran"'),
      () => {
        const script = document.createElement('script');
        script.textContent = 'document.title = "ran"';
        document.body.append(script);
      },
    ];
    return attempts.map((attempt) => {
      try {
        attempt();
        return '';
      } catch (error) {
        return String(error);
      }
    });
  });
  assert.ok(
    refused.every((error) => /Trusted|Content Security Policy/.test(error)),
    refused.join('\n'),
  );
  assert.notEqual(await page.title(), 'ran');
  assert.equal(text.match(/<script/g)!.length, 2);
});

for (const [width, colorScheme] of [
  [1280, 'light'],
  [390, 'dark'],
] as const) {
  test(
    `at ${width} pixels, ${colorScheme}: nothing sticks out, and text can be told from what is behind it`,
    { skip: needs('chromium') },
    async (t) => {
      const { path } = await report(t, 'html');
      const { page } = await openInBrowser(t, path, { colorScheme, viewport: { width, height: 800 } });
      await page.waitForSelector('.cell');
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width);
      const outside = await page.evaluate(() => {
        const map = document.getElementById('map')!.getBoundingClientRect();
        return [...document.querySelectorAll('.cell')].filter((cell) => {
          const { left, right, top, bottom } = cell.getBoundingClientRect();
          return left < map.left - 1 || right > map.right + 1 || top < map.top - 1 || bottom > map.bottom + 1;
        }).length;
      });
      assert.equal(outside, 0);
      // Contrast as WCAG 2 has it, of labels on the colours of layers and of quiet text on the page.
      const ratios = await page.evaluate(() => {
        const lightness = (colour: string) => {
          const [r, g, b] = colour
            .match(/[\d.]+/g)!
            .map((value) => Number(value) / (colour.startsWith('color(') ? 1 : 255));
          const linear = (value: number) =>
            value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
          return 0.2126 * linear(r!) + 0.7152 * linear(g!) + 0.0722 * linear(b!);
        };
        const ratio = (text: Element, back: Element) => {
          const [a, b] = [
            lightness(getComputedStyle(text).color),
            lightness(getComputedStyle(back).backgroundColor),
          ];
          return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        };
        const cells = [...document.querySelectorAll('.cell')].map((cell) => ratio(cell, cell));
        return [...cells, ratio(document.querySelector('.sub')!, document.body)];
      });
      assert.ok(Math.min(...ratios) >= 4.5, String(Math.min(...ratios)));
    },
  );
}

test(
  'the picture is well-formed, has every layer, and no markup of the image',
  { skip: needs('python3') },
  async (t) => {
    const { path, text } = await report(t, 'svg');
    const check =
      'import sys, xml.dom.minidom as m; d = m.parse(sys.argv[1]); print(len(d.getElementsByTagName("script")), len(d.getElementsByTagName("img")))';
    assert.equal(execFileSync('python3', ['-c', check, path], { encoding: 'utf8' }), '0 0\n');
    assert.ok(text.includes(`${showBytes(BYTES)} in 2 layers, ${showBytes(BYTES - WASTE)} in the tree`));
    assert.ok(text.includes('k1"') && text.includes('k2"') && text.includes('class="hatched"'));
    assert.doesNotMatch(text, /<img|onload=alert\(2\)>|<script/);
  },
);

test('60,000 names make a page of less than a megabyte, and at most 3,000 rectangles', async (t) => {
  const names = Array.from({ length: 60_000 }, (_, index) =>
    file(
      `usr/d${index % 97}/${(index * 2654435761) % 2 ** 32}-file-${index}.txt`,
      index % 50 === 0 ? 3000 + index : index % 700,
    ),
  );
  const { text } = await report(t, 'html', [names]);
  assert.ok(text.length < 1_000_000, String(text.length));
  const picture = await report(t, 'svg', [names]);
  assert.ok(picture.text.match(/<rect/g)!.length < 3100);
  assert.ok(picture.text.length < 1_000_000);
});

test('the sample is what the program makes of the demo image', { skip: needs('root') }, (t) => {
  const cwd = scratch(t);
  for (const format of ['html', 'svg']) {
    const { code, stderr } = run(['inspect', DEMO, '-o', `report.${format}`], { cwd });
    assert.equal(code, 0, stderr);
    // What is packed differs from one version of zlib to the next.
    const [made, sample] = [
      join(cwd, `report.${format}`),
      join(PROJECT, `.github/sample-report.${format}`),
    ].map((path) => readFileSync(path, 'utf8').replace(/(id="data">)[^<]*/, '$1'));
    assert.equal(made, sample, 'run scripts/sample-report');
  }
});

test('a report replaces nothing unless it is told to, and has one of two endings', (t) => {
  const cwd = scratch(t);
  writeFileSync(join(cwd, 'report.html'), 'mine');
  const inspect = (...args: string[]) => run(['inspect', 'nothing.tar', ...args], { cwd });
  // Refused before the image, which is not there, is looked for.
  assert.match(inspect('-o', 'report.html').stderr, /report\.html: exists already\n {2}add --force/);
  const wrong = inspect('-o', 'report.pdf');
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /-o report\.html or -o report\.svg/);
  assert.equal(readFileSync(join(cwd, 'report.html'), 'utf8'), 'mine');
  assert.equal(run(['inspect', DEMO, '-o', 'report.html', '--force', '--quiet'], { cwd }).code, 0);
  assert.match(readFileSync(join(cwd, 'report.html'), 'utf8'), /^<!DOCTYPE html>/);
  assert.deepEqual(readdirSync(cwd), ['report.html']);
});

test('the page has the sums of --json', { skip: needs('chromium') }, async (t) => {
  const cwd = scratch(t);
  assert.equal(run(['inspect', DEMO, '-o', 'report.html', '--quiet'], { cwd }).code, 0);
  const facts = JSON.parse(run(['inspect', DEMO, '--json'], { cwd }).stdout.toString());
  const { carried, bytes: waste } = facts.waste;
  const { page } = await openInBrowser(t, join(cwd, 'report.html'));
  await page.waitForSelector('.cell');
  const shown = await page.locator('.facts dd').allTextContents();
  assert.deepEqual(shown.slice(0, 2), [showBytes(carried), showBytes(carried - waste)]);
  const rows = await page.locator('#layers tbody td:nth-child(3)').allTextContents();
  assert.deepEqual(
    rows,
    facts.layers.map(({ bytes }: { bytes: number }) => showBytes(bytes)),
  );
  assert.ok((await page.locator('#here').innerText()).startsWith(`${showBytes(carried)}, 100 %`));
});

/** A flat directory of files of these sizes. */
function directoryOf(sizes: readonly number[]): PageNode {
  const zeros = sizes.map(() => 0);
  return unpack({
    names: ['', ...sizes.map((_, index) => `f${index}`)],
    kinds: [0, ...sizes.map(() => 1)],
    counts: [sizes.length, ...zeros],
    bytes: [0, ...sizes],
    layers: [1, ...sizes.map(() => 1)],
    why: [0, ...zeros],
    by: {},
    links: {},
    touches: {},
  });
}

test('rectangles are where d3-hierarchy puts them', () => {
  const value = fc.integer({ min: 1, max: 1e9 });
  fc.assert(
    fc.property(
      fc.array(value, { minLength: 1, maxLength: 60 }),
      fc.integer({ min: 5, max: 900 }),
      fc.integer({ min: 5, max: 900 }),
      (values, w, h) => {
        const sorted = values.sort((a, b) => b - a);
        const root = hierarchy<{ value: number; children?: { value: number }[] }>({
          value: 0,
          children: sorted.map((each) => ({ value: each })),
        }).sum((each) => each.value);
        const theirs = treemap<{ value: number }>().tile(treemapSquarify).size([w, h])(root).leaves();
        for (const [index, { x, y, w: width, h: height }] of squarify(sorted, {
          x: 0,
          y: 0,
          w,
          h,
        }).entries()) {
          const { x0, y0, x1, y1 } = theirs[index]!;
          for (const [mine, other] of [
            [x, x0],
            [y, y0],
            [x + width, x1],
            [y + height, y1],
          ] as const)
            assert.ok(Math.abs(mine - other) < 1e-6 * (w + h), `${index}: ${mine} ${other}`);
        }
      },
    ),
    runs(200),
  );
});

test('all bytes of a directory are in its rectangles, in proportion', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 1e6 }), { maxLength: 3000 }), (sizes) => {
      const root = directoryOf(sizes);
      const cells = planCells(root, 600, 400, true);
      assert.ok(cells.length <= 3000);
      const whole = sizes.reduce((sum, size) => sum + size, 0);
      assert.equal(
        cells.reduce((sum, { bytes }) => sum + bytes, 0),
        whole,
      );
      for (const { w, h, bytes } of cells) assert.ok(Math.abs((w * h) / 240_000 - bytes / whole) < 1e-6);
      assert.equal(
        cells.reduce((sum, { folded }) => sum + (folded || 1), 0),
        sizes.filter((size) => size > 0).length,
      );
    }),
    runs(50),
  );
});
