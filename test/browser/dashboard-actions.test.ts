/** Actions on the page, from their check to their end, by pointer and by keyboard, with a server that is made up. */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import * as made from '../support/dashboard/answers.ts';
import { nothingSerious, violations } from '../support/dashboard/axe.ts';
import { viewAfterCrash } from '../support/dashboard/example.ts';
import { told } from '../support/dashboard/page-server.ts';
import { makeStage } from '../support/dashboard/stage.ts';
import * as states from '../support/dashboard/states.ts';

const stage = makeStage();
const { open } = stage;

/** What has the focus, in words. */
const focused = (tab: Page) =>
  tab.evaluate<string>(
    '(document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent) || document.activeElement.tagName',
  );

test('an action says what it will do, does it, and shows its steps and what came of it', async () => {
  const tab = await open(told());
  await tab.getByRole('button', { name: 'Switch over…' }).click();
  await tab.getByText('What will happen').waitFor();
  expect(await violations(tab)).toEqual(nothingSerious);
  await tab.getByLabel('New primary').selectOption('redis-3');
  await tab.getByRole('button', { name: 'Switch over to redis-3' }).click();
  await tab.getByText('all Sentinels name redis-2').waitFor();
  expect(stage.server.asked.findLast(({ path }) => path === '/api/operations')).toEqual({
    ...{ method: 'POST', path: '/api/operations', query: '?basis=redis-1%20is%20primary' },
    body: { kind: 'switchover', to: 'redis-3' },
  });
  // It looks itself: the primary is not the one that was asked for.
  expect(await tab.locator('.verdict').textContent()).toContain('not redis-3');
  await tab.keyboard.press('Escape');
  expect(await tab.evaluate<string>('document.activeElement.textContent')).toBe('Switch over…');
});

test('a button that the page moves on from under a press is pressed all the same', async () => {
  const tab = await open(told());
  const button = tab.getByRole('button', { name: 'Switch over…' });
  const before = (await button.boundingBox())!;
  await tab.mouse.move(before.x + before.width / 2, before.y + before.height / 2);
  await tab.mouse.down();
  // A member dies: a banner appears above all that is there.
  stage.server.told.view = states.degraded().view;
  stage.server.push();
  await tab.getByRole('complementary', { name: 'What is wrong' }).waitFor();
  await expect.poll(async () => (await button.boundingBox())?.y).toBeGreaterThan(before.y + before.height);
  await tab.mouse.up();
  await tab.getByRole('dialog', { name: 'Switch over' }).waitFor();
  // Whoever moves away from it does not mean it any more.
  await tab.keyboard.press('Escape');
  await button.hover();
  await tab.mouse.down();
  await tab.mouse.move(5, 5);
  await tab.mouse.up();
  expect(await tab.getByRole('dialog').count()).toBe(0);
});

test('what is not allowed says why, and can not be asked for', async () => {
  const why = 'a failover is under way (sentinel-1 says so)';
  const tab = await open(
    told({ plan: made.plan({ allowed: false, why, hint: 'Wait for its end.', will: [] }) }),
  );
  await tab.getByRole('button', { name: 'Failover…' }).click();
  await tab.getByText(why).waitFor();
  expect(await violations(tab)).toEqual(nothingSerious);
  expect(await tab.getByRole('button', { name: 'Force a failover' }).getAttribute('aria-disabled')).toBe(
    'true',
  );
});

test('what fails shows how far it came, why, and how the deployment is now', async () => {
  const error = { code: 'SWITCHOVER_FAILED', message: 'redis-2 did not get everything', hint: 'Try again.' };
  const tab = await open(told({ job: made.job({ state: 'failed', result: null, error }) }));
  await tab.getByRole('button', { name: 'Switch over…' }).click();
  await tab.getByRole('button', { name: 'Switch over to the best replica' }).click();
  await tab.getByText(error.message).waitFor();
  await tab.locator('.verdict', { hasText: 'orders is healthy' }).waitFor();
  expect(await violations(tab)).toEqual(nothingSerious);
});

test('a member whose data is gone is started as it is only when that is said', async () => {
  const tab = await open(states.refusedMember(), 'members/redis-1');
  await tab.getByRole('button', { name: 'Restart…' }).last().click();
  await tab.getByLabel('Start redis-1 as it is, though data is lost').check();
  await tab.getByRole('button', { name: 'Restart redis-1' }).click();
  await expect
    .poll(() => stage.server.asked.at(-1)?.body)
    .toEqual({ kind: 'restart', process: 'redis-1', acceptDataLoss: true });
});

test('who has no right to act is asked for a token, and is told when it is none', async () => {
  const refusal = {
    status: 401,
    error: {
      code: 'API_TOKEN_NEEDED',
      message: 'that is no token of this deployment',
      hint: 'holdfast token',
    },
  };
  const tab = await open(told({ session: made.look }));
  await tab.getByRole('button', { name: 'Switch over…' }).click();
  const dialog = tab.getByRole('dialog');
  await dialog.getByLabel('Token').fill('not one');
  stage.server.told.answers = { '/api/session': refusal };
  await dialog.getByRole('button', { name: 'Sign in' }).click();
  await dialog.getByText(refusal.error.message).waitFor();
  expect(await violations(tab)).toEqual(nothingSerious);
  stage.server.told.answers = {};
  stage.server.told.session = told().session;
  await dialog.getByRole('button', { name: 'Sign in' }).click();
  await dialog.getByText('What will happen').waitFor();
});

test('what is refused for want of a token, and a stream that ends, make the page ask anew what it may do', async () => {
  const tab = await open(told());
  const may = (what: string) => tab.locator('.who', { hasText: `may ${what}` }).waitFor();
  await may('operate');
  await tab.getByRole('button', { name: 'Switch over…' }).click();
  await tab.getByText('What will happen').waitFor();
  // The token is revoked.
  stage.server.told.session = made.look;
  const error = { code: 'API_TOKEN_NEEDED', message: 'whoever changes something must show a token' };
  stage.server.told.answers = { '/api/operations': { status: 401, error } };
  await tab.getByRole('button', { name: 'Switch over to the best replica' }).click();
  await may('look');
  await tab.getByRole('dialog').getByLabel('Token').waitFor();
  stage.server.told.session = told().session;
  stage.server.setSilent(true);
  stage.server.setSilent(false);
  await may('operate');
});

test('while an action is looked at, another primary makes another plan, and the choice stays what will be done', async () => {
  const tab = await open(told({ view: { ...viewAfterCrash(), primary: 'redis-1' } }));
  await tab.getByRole('button', { name: 'Switch over…' }).click();
  await tab.getByLabel('New primary').selectOption('redis-2');
  const go = tab.getByRole('button', { name: 'Switch over to redis-2' });
  await tab.getByText('redis-2 becomes primary, the others').waitFor();
  // Somebody else moves it there meanwhile.
  const why = 'redis-2 is the primary already';
  stage.server.told.plan = made.plan({
    ...{ allowed: false, why, hint: 'Name a replica.', basis: 'redis-2 is primary' },
    will: ['redis-2 gets everything that redis-2 has.'],
  });
  stage.server.told.view = viewAfterCrash();
  stage.server.push();
  await tab.getByText(why).waitFor();
  expect(await tab.getByLabel('New primary').inputValue()).toBe('redis-2');
  expect(await tab.getByLabel('New primary').locator('option:checked').textContent()).toContain('redis-2');
  expect(await go.getAttribute('aria-disabled')).toBe('true');
  await tab.getByText('The deployment has changed: redis-2 is primary').waitFor();
  expect(await violations(tab)).toEqual(nothingSerious);
  await go.press('Enter');
  expect(stage.server.asked.filter(({ path }) => path === '/api/operations')).toEqual([]);
});

test('what was approved is sent with what it rests on; when that is refused, the plan is asked for again', async () => {
  const changed = {
    status: 409,
    error: {
      code: 'PLAN_CHANGED',
      message: 'this would be something else: redis-3 is primary',
      hint: 'Look.',
    },
  };
  const tab = await open(told({ answers: { '/api/operations': changed } }));
  await tab.getByRole('button', { name: 'Switch over…' }).click();
  await tab.getByText('What will happen').waitFor();
  stage.server.told.plan = made.plan({ basis: 'redis-3 is primary' });
  await tab.getByRole('button', { name: 'Switch over to the best replica' }).click();
  await tab.getByText(changed.error.message).waitFor();
  await tab.getByText('The deployment has changed: redis-3 is primary').waitFor();
  expect(await tab.locator('.stages .failed').textContent()).toContain('Check again');
  stage.server.told.answers = {};
  await tab.getByRole('button', { name: 'Switch over to the best replica' }).click();
  await tab.getByText('all Sentinels name redis-2').waitFor();
  const begun = stage.server.asked.filter(({ path }) => path === '/api/operations').map(({ query }) => query);
  expect(begun).toEqual(['?basis=redis-1%20is%20primary', '?basis=redis-3%20is%20primary']);
});

test('by keyboard the focus begins where something is to be chosen, and is never lost', async () => {
  const tab = await open(told({ session: made.look }));
  await tab.getByRole('button', { name: 'Switch over…' }).focus();
  await tab.keyboard.press('Enter');
  const dialog = tab.getByRole('dialog', { name: 'Switch over' });
  await dialog.getByLabel('Token').waitFor();
  await expect.poll(() => tab.evaluate<string>('document.activeElement.name')).toBe('token');
  stage.server.told.session = told().session;
  await tab.keyboard.type('a token');
  await tab.keyboard.press('Enter');
  await dialog.getByText('What will happen').waitFor();
  // The form is gone.
  expect(await focused(tab)).toBe('Switch over');
  stage.server.told.job = made.job({ state: 'running', endedAt: null, cancellable: true });
  await dialog.getByRole('button', { name: 'Switch over to the best replica' }).focus();
  await tab.keyboard.press('Enter');
  await dialog.getByRole('button', { name: 'Give it up' }).waitFor();
  expect(await focused(tab)).toBe('What is done: switchover');
  await tab.keyboard.press('Escape');
  expect(await focused(tab)).toBe('Switch over…');
});

test('an action with nothing to choose begins at its title: Enter does nothing, and the browser’s back closes it', async () => {
  const tab = await open(told(), 'time');
  await tab.goto(`${stage.server.address}#/overview`);
  await tab.getByRole('button', { name: 'Pause…' }).press('Enter');
  await tab.getByText('What will happen').waitFor();
  expect(await focused(tab)).toBe('Pause automatic actions');
  await tab.keyboard.press('Enter');
  expect(await tab.getByRole('dialog').count()).toBe(1);
  expect(stage.server.asked.map(({ path }) => path)).not.toContain('/api/operations');
  await tab.goBack();
  await tab.getByRole('dialog').waitFor({ state: 'detached' });
});

test('only what runs on the host of this agent is offered for a restart; the rest leads to the page of its own', async () => {
  const tab = await open(told());
  await tab.getByRole('button', { name: 'Restart…' }).click();
  const offered = await tab.getByLabel('What').locator('option').allTextContents();
  expect(offered).toEqual([
    'All members of host a, one after the other',
    ...['redis-1', 'sentinel-1', 'gate-1'],
  ]);
  const link = tab.getByRole('dialog').getByRole('link', { name: 'restart at the page of b' });
  expect(await link.getAttribute('href')).toMatch(/^http:\/\/10\.0\.1\.56:\d+\/#\/overview$/);
  await tab.goto(`${stage.server.address}#/gates/gate-2`);
  await tab.getByRole('link', { name: 'restart at the page of b' }).waitFor();
  expect(
    await tab
      .getByRole('main')
      .getByRole('button', { name: /Restart/ })
      .count(),
  ).toBe(0);
});
