/** The page of a real agent: what a viewer sees while servers die and are moved, and what they may do. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { desktop, openBrowser, openTab } from '../support/dashboard/browser.ts';
import { TestDeployment } from '../support/deployment.ts';

let deployment: TestDeployment;
let browser: Browser;
let tab: Page;
const problems: string[] = [];

beforeAll(async () => {
  [deployment, browser] = await Promise.all([TestDeployment.up(), openBrowser()]);
  await deployment.waitUntilHealthy();
  tab = await openTab(browser, desktop, problems, { still: false, reducedMotion: 'reduce' });
  await tab.goto(`http://127.0.0.1:${deployment.ports.api}/`);
  await top('healthy');
});

afterAll(async () => {
  await browser?.close();
  await deployment?.destroy();
});

/** Waits until the head of the page says that. */
async function top(text: string): Promise<void> {
  await tab.locator('.top', { hasText: text }).waitFor();
}

const tokenOf = (name: 'api-token' | 'api-operate-token') =>
  readFileSync(path.join(deployment.stateDir, name), 'utf8').trim();

/** Writes one after the other until it is ended. */
function writeOn(): { end: () => Promise<{ written: number; errors: string[] }> } {
  const client = deployment.client();
  const done = { written: 0, errors: [] as string[] };
  let going = true;
  const loop = (async () => {
    while (going) {
      await client.set('key', done.written).then(
        () => (done.written += 1),
        (error: Error) => done.errors.push(error.message),
      );
      if (done.errors.length > 10) return;
    }
  })();
  return {
    end: async () => {
      going = false;
      await loop;
      return done;
    },
  };
}

/**
 * Approves until it has begun. What is done is what was approved: when the deployment changes in between (the first key that the load
 * writes, a replica that is in step again) nothing is done, and the new plan is shown to be approved.
 */
async function approve(go: string): Promise<void> {
  const dialog = tab.getByRole('dialog');
  await waitFor(
    async () => {
      const button = dialog.getByRole('button', { name: go });
      if ((await button.count()) === 0) return true;
      await button.click({ timeout: 1000 }).catch(() => {});
      return undefined;
    },
    { what: `“${go}” to begin`, withinMs: 30_000 },
  );
}

test('the page shows the deployment that runs', async () => {
  const picture = tab.locator('.picture svg');
  for (const id of ['gate-1', 'redis-1', 'redis-2', 'redis-3', 'sentinel-1', 'sentinel-2', 'sentinel-3']) {
    expect(await picture.getByText(id, { exact: true }).count(), id).toBe(1);
  }
  expect(await tab.title()).toBe('✓ test');
});

test('the death of the primary is on the page at once, then the next one, and the gap', async () => {
  const { id, pid } = await deployment.primary();
  // The page itself notes when it showed that: how soon a test hears of it is another matter.
  await tab.evaluate(`new MutationObserver((_, observer) => {
    const box = document.querySelector('.picture a.member.bad, .picture a.member.warn');
    const changed = !document.querySelector('.top').textContent.includes('primary ${id}');
    if (!box && !changed) return;
    window.shownAtMs = Date.now();
    observer.disconnect();
  }).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true })`);
  const killedAtMs = Date.now();
  process.kill(pid as number, 'SIGKILL');
  const shownAtMs = await waitFor(
    async () => (await tab.evaluate<number | undefined>('window.shownAtMs')) ?? undefined,
    { what: 'the death on the page', withinMs: 60_000, everyMs: 20 },
  );
  // By themselves the Sentinels take 3 s to see it.
  expect(shownAtMs - killedAtMs).toBeLessThan(2500);
  const { primary } = await deployment.waitUntilHealthy();
  expect(primary).not.toBe(id);
  await top(`primary ${primary}`);
  const story = tab.getByRole('region', { name: 'The last change of primary' });
  await story.getByText(/promoted .+ after it began/).waitFor();
  expect(await story.textContent()).toContain(`${id} → ${primary}`);
});

test('without a token, with a wrong one and with one that may only look, nothing can be done', async () => {
  const dialog = tab.getByRole('dialog');
  const asks = dialog.getByText('needs a token of the role operate');
  await tab.getByRole('button', { name: 'Switch over…' }).click();
  await asks.waitFor();
  await dialog.getByLabel('Token').fill('no-token-of-this-deployment');
  await dialog.getByRole('button', { name: 'Sign in' }).click();
  await dialog.getByRole('alert').waitFor();
  await dialog.getByLabel('Token').fill(tokenOf('api-token'));
  await dialog.getByRole('button', { name: 'Sign in' }).click();
  await dialog.getByText('may look and not act').waitFor();
  expect(await dialog.getByRole('button', { name: /^Switch over to/ }).count()).toBe(0);
});

test('a switchover from the page, under load, ends well and no client notices', async () => {
  const dialog = tab.getByRole('dialog');
  const before = (await deployment.status()).primary;
  const load = writeOn();
  await dialog.getByLabel('Token').fill(tokenOf('api-operate-token'));
  await dialog.getByRole('button', { name: 'Sign in' }).click();
  await dialog.getByText('What will happen').waitFor();
  await approve('Switch over to the best replica');
  await dialog.locator('.verdict').waitFor();
  expect(await dialog.locator('.stages').textContent()).not.toContain('failed');
  await dialog.getByRole('button', { name: 'Close', exact: true }).last().click();
  const { written, errors } = await load.end();
  expect(errors).toEqual([]);
  expect(written).toBeGreaterThan(0);
  const { primary } = await deployment.status();
  expect(primary).not.toBe(before);
  await top(`primary ${primary}`);
});

test('who signs in while the page is open is shown within seconds that the token was revoked', async () => {
  await tab.getByRole('button', { name: 'Sign out' }).click();
  await top('may look');
  const { token } = await deployment.json<{ token: string }>('token', ['make', 'ada'], ['--role', 'operate']);
  await tab.getByRole('button', { name: 'Sign in' }).click();
  const dialog = tab.getByRole('dialog');
  await dialog.getByLabel('Token').fill(token);
  await dialog.getByRole('button', { name: 'Sign in' }).click();
  await top('may operate');
  expect((await deployment.run('token', ['revoke', 'ada'])).status).toBe(0);
  await top('may look');
  await tab.locator('.top', { hasText: 'not live' }).waitFor({ state: 'detached' });
});

test('left open while the agent is killed and started again, the page says so and goes on', async () => {
  await tab.evaluate('window.opened = "before"');
  process.kill(deployment.agentPid(), 'SIGKILL');
  await top('not live');
  await deployment.start();
  await tab.locator('.top', { hasText: 'not live' }).waitFor({ state: 'detached' });
  await top('live');
  expect(await tab.evaluate('window.opened')).toBe('before');
});

test('nothing was complained of, but that an agent that was gone did not answer', () => {
  const own = problems.filter((text) => !text.startsWith('Failed to load resource'));
  expect(own).toEqual([]);
});
