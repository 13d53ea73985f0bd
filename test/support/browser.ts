import { spawnSync } from 'node:child_process';
import type { TestContext } from 'node:test';
import { type BrowserContextOptions, chromium, type Page } from 'playwright-core';

/** A page in a browser without a network, and what happened to it. */
export interface OpenPage {
  readonly page: Page;
  /** What it asked for, by address. */
  readonly requests: readonly string[];
  /** What went wrong in it, or was refused by its policy, and dialogs that opened. */
  readonly trouble: readonly string[];
}

/** Opens a file in Chromium; both go when the test ends. */
export async function openInBrowser(
  t: TestContext,
  file: string,
  options: BrowserContextOptions = {},
): Promise<OpenPage> {
  const executablePath = spawnSync('/bin/sh', ['-c', 'command -v chromium'], {
    encoding: 'utf8',
  }).stdout.trim();
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  t.after(() => browser.close());
  const context = await browser.newContext({
    offline: true,
    viewport: { width: 1280, height: 900 },
    ...options,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(120_000);
  const requests: string[] = [];
  const trouble: string[] = [];
  page.on('request', (request) => requests.push(request.url()));
  page.on('console', (message) => trouble.push(message.text()));
  page.on('pageerror', (error) => trouble.push(error.message));
  page.on('dialog', (dialog) => {
    trouble.push(dialog.message());
    void dialog.dismiss();
  });
  await page.goto(`file://${file}`);
  return { page, requests, trouble };
}
