import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { clientsSchema, memberDetailsSchema } from '../../src/api/details.ts';
import { eventsSchema } from '../../src/api/events.ts';
import { backupsSchema, doctorSchema, drillsSchema, specSchema } from '../../src/api/findings.ts';
import { historySchema } from '../../src/api/history.ts';
import { jobSchema, planSchema } from '../../src/api/jobs.ts';
import { migrationsSchema, mirrorsSchema } from '../../src/api/moves.ts';
import { viewSchema } from '../../src/api/view.ts';
import * as made from '../support/dashboard/answers.ts';
import { nothingSerious, violations } from '../support/dashboard/axe.ts';
import { desktop, openTab } from '../support/dashboard/browser.ts';
import { settled } from '../support/dashboard/opened.ts';
import { type Told, told } from '../support/dashboard/page-server.ts';
import { makeStage } from '../support/dashboard/stage.ts';
import * as states from '../support/dashboard/states.ts';
import { isWhole } from '../support/whole-run.ts';

const stage = makeStage();
const { problems, open } = stage;

const pages = [
  'overview',
  'time',
  'events',
  'members/redis-2',
  'sentinels',
  'gates',
  'doctor',
  'backups',
  'drills',
  'spec',
];
const shown: readonly (readonly [name: string, told: () => Told, pages: readonly string[]])[] = [
  ['healthy', () => told(), pages],
  ['during a failover', states.duringFailover, ['overview']],
  ['degraded', states.degraded, ['overview', 'spec']],
  ['without Sentinels', states.withoutSentinels, ['overview', 'sentinels']],
  ['a member that is not started', states.refusedMember, ['members/redis-1']],
  ['empty', states.empty, ['overview', 'events', 'gates', 'backups', 'moves']],
  ['with migrations and mirrors', states.moving, ['moves']],
  ['not signed in', states.unauthorised, ['overview']],
  ['deceived', states.hostile, ['overview', 'gates']],
];

/** What is in the usual run. */
const usual = ['healthy', 'degraded', 'not signed in', 'deceived'];

for (const [name, what, each] of shown) {
  test.skipIf(!isWhole && !usual.includes(name))(
    `nothing serious is found by axe, and nothing is complained of: ${name}`,
    async () => {
      const tab = await open(what(), each[0]);
      for (const page of each) {
        await tab.goto(`${stage.server.address}#/${page}`);
        await settled(tab);
        expect(await violations(tab, isWhole || name === 'healthy'), page).toEqual(nothingSerious);
      }
      expect(problems).toEqual([]);
    },
  );
}

test('text that somebody made up to deceive stands as text, and turns or hides nothing', async () => {
  const tab = await open(states.hostile());
  for (const page of ['overview', 'events', 'gates', 'spec']) {
    await tab.goto(`${stage.server.address}#/${page}`);
    await settled(tab);
    const text = await tab.evaluate<string>('document.body.textContent');
    expect(text, page).toContain('<img src=x onerror=alert(1)>\\u202egnp.exe\\u0007\\u200b<script>');
    const names = await tab.evaluate<string>(
      '[...document.querySelectorAll("*")].flatMap((e) => [...e.attributes].map((a) => a.value)).join(" ")',
    );
    expect(`${text} ${names}`, page).not.toMatch(/[\u0000-\u0008\u200b-\u200f\u202a-\u202e\u2066-\u2069]/);
    expect(await tab.locator('main img, main script').count(), page).toBe(0);
  }
  expect(problems).toEqual([]);
});

test('where there are no Sentinels there is no page of them, and a person may have the one that leads do so alone', async () => {
  const tab = await open(states.withoutSentinels());
  const pages = tab.getByRole('navigation', { name: 'Pages' });
  await pages.getByText('Gates').waitFor();
  expect(await pages.getByText('Sentinels').count()).toBe(0);
  expect(await tab.locator('.legend').textContent()).not.toContain('Sentinel');
  await tab.getByRole('button', { name: 'Failover…' }).click();
  const choices = tab.getByLabel('New primary').locator('option');
  expect(await choices.allTextContents()).toEqual([
    'The best replica',
    'redis-2 (up)',
    'redis-1 (leads on alone)',
  ]);
  await tab.goto(`${stage.server.address}#/sentinels`);
  await tab.getByText('There are none').waitFor();
  expect(problems).toEqual([]);
});

test('an agent that goes is said to be gone, what was known stays, and its return is seen', async () => {
  const tab = await open(told());
  stage.server.setSilent(true);
  const banner = tab.getByRole('complementary', { name: 'Connection' });
  await banner.waitFor();
  expect(await banner.textContent()).toContain('What you see is from');
  expect(await violations(tab)).toEqual(nothingSerious);
  expect(await tab.locator('.picture svg a').count()).toBeGreaterThan(5);
  expect(await tab.title()).toMatch(/^\? /);
  expect(await tab.locator('.top').textContent()).toContain('was healthy');
  stage.server.setSilent(false);
  await banner.waitFor({ state: 'detached' });
  expect(await tab.locator('.top').textContent()).toContain('live');
});

test('what the agents of other hosts carry out is shown, with whose it is, and whose answer is missing', async () => {
  const step = { at: '2026-11-25T10:00:00.000Z', text: 'redis-3 is asked to follow' };
  const job = made.job({
    host: 'b',
    state: 'running',
    endedAt: null,
    steps: [step],
    result: null,
    by: 'bob',
  });
  const missingJobs = [{ host: 'c', why: 'no agent listens there' }];
  const tab = await open(told({ jobs: [job], missingJobs }), 'events');
  await tab.getByText('Not known of c: no agent listens there').waitFor();
  const banner = tab.getByRole('complementary', { name: 'Under way at b' });
  expect(await banner.textContent()).toContain('switchover, asked for by bob: redis-3 is asked to follow');
  await tab.getByText('asked for by bob at b').click();
  await tab.locator('.steps').getByText(step.text).waitFor();
  // News of another job come by themselves.
  stage.server.told.jobs = [
    made.job({ id: 'j10', host: 'b', kind: 'doctor', request: {} }),
    { ...job, state: 'done' },
  ];
  stage.server.told.view = { ...stage.server.told.view, jobs: 'a:1,b:3' };
  stage.server.push();
  await tab.locator('.jobs li', { hasText: 'doctor' }).waitFor();
  await banner.waitFor({ state: 'detached' });
  expect(await violations(tab)).toEqual(nothingSerious);
});

test('until the agent has answered the page says that it waits', async () => {
  stage.server.told = told();
  const tab = await openTab(stage.browser, desktop, problems);
  await tab.route('**/api/**', () => {});
  await tab.goto(stage.server.address);
  await tab.getByText('The agent is asked.').waitFor({ state: 'attached' });
  expect(await tab.locator('.top').textContent()).toContain('connecting');
  expect(await violations(tab)).toEqual(nothingSerious);
});

test('the page can be used by keyboard alone', async () => {
  const tab = await open(told());
  await tab.keyboard.press('Tab');
  expect(await tab.evaluate<string>('document.activeElement.textContent')).toBe('To the content');
  await tab.keyboard.press('Enter');
  expect(await tab.evaluate<string>('document.activeElement.id')).toBe('main');
  await tab
    .getByRole('link', { name: /redis-3/ })
    .first()
    .focus();
  await tab.keyboard.press('Enter');
  await tab.getByRole('heading', { name: 'redis-3' }).waitFor();
  expect(await tab.evaluate<string>('location.hash')).toBe('#/members/redis-3');
});

test('what is looked at stands in the address: it is there after a reload, and back leads to what was before', async () => {
  const tab = await open(told(), 'time');
  const shown = () => tab.locator('main .note').first().textContent();
  const address = () => tab.evaluate<string>('location.hash');
  const usual = await shown();
  const plot = tab.locator('.u-over').first();
  const box = await plot.boundingBox();
  if (box === null) throw new Error('there is no chart');
  const y = box.y + box.height / 2;
  await tab.mouse.move(box.x + box.width * 0.5, y);
  await tab.mouse.down();
  await tab.mouse.move(box.x + box.width * 0.75, y, { steps: 4 });
  await tab.mouse.up();
  await expect.poll(address).toMatch(/^#\/time\?from=2\d{3}-.*Z&to=2\d{3}-.*Z$/);
  const section = await shown();
  expect(section).not.toBe(usual);
  await tab.reload();
  await settled(tab);
  expect(await shown()).toBe(section);
  expect(await tab.getByRole('button', { name: 'Live' }).getAttribute('aria-pressed')).toBe('false');
  await tab.goBack();
  await expect.poll(shown).toBe(usual);
  await tab.getByRole('button', { name: '1 h', exact: true }).click();
  expect(await address()).toBe('#/time?last=1h');
  // A change of primary leads to what the charts said meanwhile.
  await tab.getByRole('link', { name: 'See it over time' }).first().click();
  await expect.poll(address).toContain('from=');
  expect(await tab.locator('.lane-mark').count()).toBeGreaterThan(0);
  await tab.goto(`${stage.server.address}#/events`);
  await tab.getByRole('searchbox', { name: 'Find events' }).fill('promoted');
  await tab.reload();
  await settled(tab);
  expect(await tab.getByRole('searchbox', { name: 'Find events' }).inputValue()).toBe('promoted');
  expect(await address()).toBe('#/events?find=promoted');
  // What a link names and is not there is said.
  const nowhere = tab.getByRole('complementary', { name: 'This link' });
  expect(await nowhere.count()).toBe(0);
  await tab.goto(`${stage.server.address}#/members/redis-99`);
  await nowhere.getByText('There is no member ‘redis-99’.').waitFor();
  expect(await violations(tab)).toEqual(nothingSerious);
  expect(problems).toEqual([]);
});

test('with 50 members, 500 clients and 10,000 events only what is in sight is there', async () => {
  const tab = await open(states.crowded());
  expect(await tab.locator('.picture svg a.member').count()).toBe(50);
  for (const page of ['overview', 'events', 'members', 'gates']) {
    await tab.goto(`${stage.server.address}#/${page}`);
    await settled(tab);
    expect(await tab.evaluate<number>('document.querySelectorAll("*").length'), page).toBeLessThan(3000);
  }
  await tab.goto(`${stage.server.address}#/events`);
  await tab.getByText('event 10000 of many').waitFor();
  await tab
    .getByRole('region', { name: 'Events, newest first' })
    .evaluate((list) => list.scrollTo(0, 380_000));
  await tab.getByText('event 1 of many', { exact: true }).waitFor();
  expect(problems).toEqual([]);
});

test('what the made-up server tells is what an agent could', () => {
  const told = states.degraded();
  const all = [
    ...[told.view, states.duringFailover().view, states.crowded().view, states.empty().view].map(
      (view) => [viewSchema, view] as const,
    ),
    [historySchema, made.history('1m', told.view, 9)] as const,
    [clientsSchema, made.clients(told.view)] as const,
    [memberDetailsSchema, made.memberDetails(told.view, 'redis-1')] as const,
    [doctorSchema, made.doctor] as const,
    [backupsSchema, made.backups] as const,
    [drillsSchema, made.drills] as const,
    [mirrorsSchema, made.mirrors(states.moving().view)] as const,
    [migrationsSchema, made.migrations(states.moving().view)] as const,
    [viewSchema, states.moving().view] as const,
    [specSchema, made.spec(told.view)] as const,
    [eventsSchema, told.events] as const,
    [planSchema, made.plan()] as const,
    [jobSchema, made.job()] as const,
  ];
  for (const [schema, answer] of all) expect(schema.safeParse(answer).error?.issues).toBeUndefined();
});

test('the first load takes at most 200 KB, compressed', () => {
  const folder = fileURLToPath(new URL('../../dist/dashboard', import.meta.url));
  const bytes = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => gzipSync(readFileSync(path.join(entry.parentPath, entry.name))).length);
  expect(bytes.reduce((all, each) => all + each, 0)).toBeLessThan(200_000);
});
