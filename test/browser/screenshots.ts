/**
 * Makes the pictures of docs/dashboard.md anew: `npm run screenshots`. Each shows a state that is made up, and always the
 * same. No test: nothing is compared.
 */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as made from '../support/dashboard/answers.ts';
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
  /** What is done before the page is opened. */
  before?: (tab: Page) => Promise<void>;
  /** What is done before the picture is taken. */
  act?: (tab: Page) => Promise<void>;
  /** What is asked for never comes. */
  waiting?: boolean;
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

/** Nothing that the page asks for is answered. */
const hold = async (tab: Page) => {
  await tab.route('**/api/**', () => {});
};

const failed = made.job({
  state: 'failed',
  progress: 0.4,
  result: null,
  error: {
    code: 'SWITCHOVER_FAILED',
    message: 'redis-2 did not get everything within 10 s: the primary stays redis-1',
    hint: 'Look at the lag of redis-2, and try again when there is less to write.',
  },
});

const moreShots: readonly Shot[] = [
  { name: 'loading', look: desktop, before: hold, waiting: true },
  {
    name: 'loading-pages-dark',
    look: dark(desktop),
    page: 'doctor',
    waiting: true,
    before: async (tab) => {
      await tab.route('**/api/doctor', () => {});
    },
  },
  {
    name: 'disconnected',
    look: desktop,
    act: async (tab) => {
      server.setSilent(true);
      await tab.getByRole('complementary', { name: 'Connection' }).waitFor();
    },
  },
  { name: 'sign-in-phone-dark', look: dark(phone), told: states.unauthorised(), window: true },
  { name: 'empty-dark', look: dark(desktop), told: states.empty(), page: 'backups' },
  {
    name: 'job-failed',
    look: desktop,
    told: told({ job: failed }),
    window: true,
    act: async (tab) => {
      await openSwitchover(tab);
      await tab.getByRole('button', { name: 'Switch over to the best replica' }).click();
      await tab.getByText('did not get everything').waitFor();
    },
  },
  {
    name: 'refused',
    look: dark(desktop),
    window: true,
    told: told({
      plan: made.plan({
        allowed: false,
        why: 'a failover is under way (sentinel-1 says so)',
        hint: 'Wait for its end.',
        will: [],
      }),
    }),
    act: async (tab) => {
      await tab.getByRole('button', { name: 'Failover…' }).click();
      await tab.getByText('a failover is under way').waitFor();
    },
  },
  {
    name: 'restart-refused-member',
    look: desktop,
    told: states.refusedMember(),
    page: 'members/redis-1',
    window: true,
    act: async (tab) => {
      await tab.getByRole('button', { name: 'Restart…' }).last().click();
      await tab.getByText('though data is lost').waitFor();
    },
  },
  {
    name: 'restore',
    look: phone,
    page: 'backups',
    window: true,
    act: async (tab) => {
      await tab
        .getByRole('button', { name: /^Restore/ })
        .first()
        .click();
      await tab.getByText('What will happen').waitFor();
    },
  },
  { name: 'moves', look: desktop, page: 'moves', told: states.moving() },
  { name: 'moves-phone-dark', look: dark(phone), page: 'moves', told: states.moving() },
  { name: 'moves-empty', look: desktop, page: 'moves' },
  { name: 'jobs', look: desktop, page: 'events', told: told({ jobs: [failed, made.job()] }) },
  { name: 'time-dark', look: dark(desktop), page: 'time' },
  { name: 'members-dark', look: dark(desktop), page: 'members/redis-2', told: states.degraded() },
  ...(['doctor', 'backups', 'drills', 'spec', 'sentinels', 'members/redis-2'] as const).map((page) => ({
    ...{ name: `${page.replace('/', '-')}-phone`, look: phone, page, told: states.degraded() },
  })),
  ...(['doctor', 'backups', 'drills', 'spec', 'sentinels', 'events', 'gates'] as const).map((page) => ({
    ...{ name: `${page}-dark`, look: dark(desktop), page, told: states.degraded() },
  })),
];

for (const shot of [...shots, ...moreShots]) {
  test.skipIf(elsewhere === undefined && !documented.has(shot.name))(shot.name, async () => {
    server.told = shot.told ?? told();
    server.setSilent(false);
    const tab = await openTab(browser, shot.look, []);
    await shot.before?.(tab);
    await tab.goto(`${server.address}#/${shot.page ?? 'overview'}`);
    await tab.locator('main .card, main .tiles').first().waitFor();
    if (!shot.waiting) await expect.poll(() => tab.locator('.wait').count(), { timeout: 15_000 }).toBe(0);
    await shot.act?.(tab);
    await tab.screenshot({ path: path.join(folder, `${shot.name}.png`), fullPage: shot.window !== true });
    await tab.context().close();
  });
}
