/**
 * Makes the pictures of docs/dashboard.md anew: `npm run screenshots`. Each shows a state that is made up, and always the
 * same. No test: nothing is compared.
 */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { desktop, type Look, openBrowser, openTab, phone } from '../support/dashboard/browser.ts';
import { PageServer, type Told, told } from '../support/dashboard/page-server.ts';
import * as states from '../support/dashboard/states.ts';

/** Where every picture goes; without it those of the documentation are made, where they belong. */
const elsewhere = process.env['HOLDFAST_SCREENSHOTS'];
const folder = elsewhere ?? fileURLToPath(new URL('../../docs/screenshots', import.meta.url));
const documented = new Set([
  ...['overview', 'overview-phone', 'failover', 'time', 'degraded-dark', 'switchover'],
]);
const dark = (look: Look): Look => ({ ...look, theme: 'dark' });

let browser: Browser;
let server: PageServer;

beforeAll(async () => {
  mkdirSync(folder, { recursive: true });
  browser = await openBrowser();
  server = await PageServer.start();
});

afterAll(async () => {
  await browser?.close();
  await server?.close();
});

interface Shot {
  name: string;
  look: Look;
  told?: Told;
  page?: string;
  /** What is done before. */
  act?: (tab: Page) => Promise<void>;
  /** Only what fits the window; a dialogue would else be cut off. */
  window?: boolean;
}

const openSwitchover = async (tab: Page) => {
  await tab.getByRole('button', { name: 'Switch over…' }).click();
  await tab.getByText('What will happen').waitFor();
};

const shots: readonly Shot[] = [
  { name: 'overview', look: desktop },
  { name: 'overview-dark', look: dark(desktop) },
  { name: 'overview-phone', look: phone },
  { name: 'failover', look: desktop, told: states.duringFailover() },
  { name: 'failover-phone-dark', look: dark(phone), told: states.duringFailover() },
  { name: 'degraded', look: desktop, told: states.degraded() },
  { name: 'degraded-dark', look: dark(desktop), told: states.degraded() },
  { name: 'empty', look: desktop, told: states.empty() },
  { name: 'sign-in', look: desktop, told: states.unauthorised(), window: true },
  { name: 'crowded', look: desktop, told: states.crowded() },
  { name: 'hostile', look: desktop, told: states.hostile() },
  {
    name: 'time',
    look: desktop,
    page: 'time',
    act: async (tab) => await tab.getByRole('button', { name: 'steps' }).first().click(),
  },
  { name: 'time-phone-dark', look: dark(phone), page: 'time' },
  { name: 'events', look: desktop, page: 'events' },
  { name: 'events-phone', look: phone, page: 'events' },
  { name: 'members', look: desktop, page: 'members/redis-2' },
  { name: 'members-phone', look: phone, page: 'members' },
  { name: 'sentinels', look: desktop, page: 'sentinels' },
  { name: 'gates', look: desktop, page: 'gates' },
  { name: 'gates-phone-dark', look: dark(phone), page: 'gates' },
  { name: 'doctor', look: desktop, page: 'doctor' },
  { name: 'backups', look: desktop, page: 'backups' },
  { name: 'drills', look: desktop, page: 'drills' },
  { name: 'spec', look: desktop, page: 'spec', told: states.degraded() },
  { name: 'switchover', look: desktop, act: openSwitchover, window: true },
  { name: 'switchover-phone-dark', look: dark(phone), act: openSwitchover, window: true },
  {
    name: 'switchover-done',
    look: desktop,
    window: true,
    act: async (tab) => {
      await openSwitchover(tab);
      await tab.getByRole('button', { name: 'Switch over to the best replica' }).click();
      await tab.getByText('all Sentinels name').waitFor();
    },
  },
];

for (const shot of shots) {
  test.skipIf(elsewhere === undefined && !documented.has(shot.name))(shot.name, async () => {
    server.told = shot.told ?? told();
    const tab = await openTab(browser, shot.look, []);
    await tab.goto(`${server.address}#/${shot.page ?? 'overview'}`);
    await tab.locator('main .card, main .tiles').first().waitFor();
    await expect.poll(() => tab.locator('.wait').count(), { timeout: 15_000 }).toBe(0);
    await shot.act?.(tab);
    await tab.screenshot({ path: path.join(folder, `${shot.name}.png`), fullPage: shot.window !== true });
    await tab.context().close();
  });
}
