import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Browser, chromium, type Page as Tab } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findProgram } from '../../src/process/programs.ts';
import type { Page } from '../../src/report/page.ts';
import { renderPage } from '../../src/report/render.ts';
import { cleanUp, tempFolder } from '../support/redis-processes.ts';

const x = Array.from({ length: 100 }, (_, i) => i / 10);
const page: Page = {
  title: 'Proof',
  subtitle: 'one kill',
  sections: [
    {
      kind: 'chart',
      title: 'Timeline',
      xLabel: 'seconds',
      x,
      series: [
        { label: 'writes', unit: '1/s', values: x.map((at) => (at === 5 ? null : 1000 + at)) },
        { label: 'longest wait', unit: 'ms', values: x.map((at) => (at === 5 ? 120 : 2)) },
      ],
      marks: [{ x: 5, label: 'redis-1 killed' }],
    },
    { kind: 'table', title: 'Found', header: ['what', 'ms'], rows: [['gap', 120]] },
  ],
};

const problems: string[] = [];
let browser: Browser;
let tab: Tab;

beforeAll(async () => {
  const file = path.join(tempFolder(), 'proof.html');
  writeFileSync(file, renderPage(page));
  // Root, as in a container, may not use the sandbox; the page is our own.
  browser = await chromium.launch({
    executablePath: findProgram('chromium') ?? 'chromium',
    args: ['--no-sandbox'],
  });
  tab = await browser.newPage({ viewport: { width: 1000, height: 900 } });
  tab.on('console', (message) => problems.push(message.text()));
  tab.on('pageerror', (error) => problems.push(error.message));
  tab.on('request', (request) => {
    if (!request.url().startsWith('file:')) problems.push(`it loads ${request.url()}`);
  });
  await tab.goto(`file://${file}`);
  await tab.locator('.chart canvas').waitFor({ state: 'visible' });
});

afterAll(async () => {
  await browser?.close();
  await cleanUp();
});

/**
 * How many different colours the chart has: a blank one has a single one. A copy that is meant to be read is read: Chromium
 * remarks on it in the page's console when a page's own canvas is read twice.
 */
function chartColors(): Promise<number> {
  return tab.evaluate(`(() => {
    const canvas = document.querySelector('.chart canvas');
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', { willReadFrequently: true });
    copy.drawImage(canvas, 0, 0);
    const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
    return new Set(new Uint32Array(data.buffer)).size;
  })()`);
}

test('a page of results draws its chart, says nothing and loads nothing', async () => {
  expect(await chartColors()).toBeGreaterThan(10);
  expect(problems).toEqual([]);
});

test('the chart is drawn again when the reader turns to dark', async () => {
  const ink = () => tab.evaluate<string>(`getComputedStyle(document.body).color`);
  const light = await ink();
  await tab.emulateMedia({ colorScheme: 'dark' });
  expect(await ink()).not.toBe(light);
  expect(await chartColors()).toBeGreaterThan(10);
  expect(problems).toEqual([]);
});

test('the figures of the chart can be unfolded with the keyboard alone', async () => {
  await tab.locator('summary').focus();
  await tab.keyboard.press('Enter');
  expect(await tab.locator('details tbody tr').count()).toBe(100);
  expect(await tab.locator('details').getAttribute('open')).not.toBeNull();
});
