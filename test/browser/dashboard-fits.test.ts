/** That there is room for everything, on a phone and beside it: nothing is cut off, nothing goes out of sight. */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { history } from '../support/dashboard/answers.ts';
import { seriousViolations } from '../support/dashboard/axe.ts';
import { desktop, phone } from '../support/dashboard/browser.ts';
import { at } from '../support/dashboard/example.ts';
import { settled } from '../support/dashboard/opened.ts';
import { told } from '../support/dashboard/page-server.ts';
import { makeStage } from '../support/dashboard/stage.ts';
import * as states from '../support/dashboard/states.ts';

const stage = makeStage();
const { open } = stage;

/** Texts in tables that are cut off, with nothing that shows the whole of them. */
function cutOff(tab: Page): Promise<string[]> {
  return tab.evaluate(`[...document.querySelectorAll('td, td *, th, th *')]
    .filter((e) => getComputedStyle(e).overflowX === 'hidden' && e.scrollWidth > e.clientWidth + 1)
    .filter((e) => !e.closest('[title]') && !e.querySelector('[title]') && !e.matches('.unseen, .unseen *'))
    .map((e) => e.textContent)`);
}

const pages = [
  ...['overview', 'time', 'events', 'members/redis-2', 'sentinels'],
  ...['gates', 'doctor', 'backups', 'drills', 'spec'],
];

test('on a phone nothing is wider than the window, and axe finds nothing serious', async () => {
  const tab = await open(states.degraded(), 'overview', phone);
  for (const page of pages) {
    await tab.goto(`${stage.server.address}#/${page}`);
    await settled(tab);
    expect(await tab.evaluate<number>('document.documentElement.scrollWidth'), page).toBe(phone.width);
    expect(await cutOff(tab), page).toEqual([]);
  }
  expect(await seriousViolations(tab)).toEqual([]);
});

test('a window that becomes narrow is filled, and no more; what is cut off in a table is told whole by who is pointed at', async () => {
  const tab = await open(told());
  for (const page of ['members/redis-2', 'gates', 'backups', 'drills', 'spec', 'sentinels']) {
    await tab.goto(`${stage.server.address}#/${page}`);
    await settled(tab);
    expect(await cutOff(tab), page).toEqual([]);
  }
  for (const page of ['time', 'overview']) {
    await tab.setViewportSize(desktop);
    await tab.goto(`${stage.server.address}#/${page}`);
    await tab.locator('.plot canvas').first().waitFor();
    await tab.setViewportSize({ width: 320, height: 700 });
    await expect.poll(() => tab.evaluate<number>('document.documentElement.scrollWidth')).toBe(320);
  }
});

const sentence = `the process of the primary redis-2 is gone, and ${'redis-1, '.repeat(40)}redis-3 can take over`;

test('a long sentence of an event stands in full, on a phone too', async () => {
  const all = told();
  const event = {
    seq: 99,
    at: at(0),
    kind: 'persistence-change-failed',
    subject: 'x'.repeat(63),
    text: sentence,
    host: 'a',
  };
  for (const size of [desktop, phone]) {
    const tab = await open({ ...all, events: [...all.events, event] }, 'events', size);
    const row = tab.locator('tbody tr', { hasText: 'redis-3 can take over' });
    await row.waitFor();
    const found = `[...document.querySelectorAll('tbody tr')].find((each) => each.textContent.includes('can take over'))`;
    const cut = await tab.evaluate<string[]>(`[...${found}.querySelectorAll('th, td, th *, td *')]
      .filter((each) => each.clientWidth > 0 && each.scrollWidth > each.clientWidth + 1)
      .map((each) => each.textContent)`);
    expect(cut).toEqual([]);
    expect(await row.textContent()).toContain(sentence);
    // What was reckoned for it is enough: the rows below begin where the scroll bar thinks.
    const spare = await tab.evaluate<number>(`parseFloat(${found}.style.height) - ${found}.offsetHeight`);
    expect(spare).toBeGreaterThanOrEqual(-2);
  }
});

test('one long name takes no other column of a table out of sight', async () => {
  const long = 'x'.repeat(400);
  const drift = [{ member: 'redis-1', kind: 'user', name: long, running: long, wanted: 'off' } as const];
  const now = told();
  const answer = { spec: {}, drift, missing: [] };
  for (const size of [desktop, { ...desktop, width: 800 }, phone]) {
    const tab = await open({ ...now, answers: { ...now.answers, '/api/spec': answer } }, 'spec', size);
    const [all, seen] = await tab
      .getByRole('region', { name: 'What differs', exact: true })
      .evaluate((table) => [table.scrollWidth, table.clientWidth]);
    expect(all).toBeLessThanOrEqual(seen ?? 0);
    expect(await tab.getByRole('rowheader').first().textContent()).toBe(long);
  }
});

test('on a phone the tab of the page is in sight, however it was come to', async () => {
  const tab = await open(told(), 'gates', phone);
  const isInSight = () =>
    tab.evaluate<boolean>(`(() => {
      const [row, one] = ['.tabs', '.tabs [aria-current]'].map((each) => document.querySelector(each).getBoundingClientRect());
      return one.left >= row.left - 1 && one.right <= row.right + 1;
    })()`);
  await expect.poll(isInSight).toBe(true);
  await tab.goto(`${stage.server.address}#/spec`);
  await expect.poll(isInSight).toBe(true);
  await tab.goto(`${stage.server.address}#/overview`);
  await expect.poll(isInSight).toBe(true);
  expect(await tab.evaluate<number>('window.scrollY')).toBe(0);
});

test('a second with a request between seconds without is a dot in the chart', async () => {
  const now = told();
  const made = history('1s', now.view, null);
  const rare = made.at.map((_, index) => (index % 10 === 5 ? 40 : null));
  const deployment = { ...made.deployment, p50Ms: rare, p99Ms: rare.map(() => null) };
  const tab = await open(
    { ...now, events: [], answers: { ...now.answers, '/api/history': { ...made, deployment } } },
    'time',
  );
  await tab.locator('figure.chart', { hasText: 'Latency' }).locator('canvas').waitFor();
  const drawn = () =>
    tab.evaluate<number>(`(() => {
      const chart = [...document.querySelectorAll('figure.chart')].find((each) => each.textContent.includes('Latency'));
      const canvas = chart.querySelector('canvas');
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      let found = 0;
      // The colour of the first line, in the light theme.
      for (let at = 0; at < data.length; at += 4)
        if (data[at] === 0x0b && data[at + 1] === 0x66 && data[at + 2] === 0xa8 && data[at + 3] === 255) found += 1;
      return found;
    })()`);
  await expect.poll(drawn).toBeGreaterThan(20);
});
