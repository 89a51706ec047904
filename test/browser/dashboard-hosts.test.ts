/**
 * Three agents on three hosts of a network of their own, over HTTPS, and the page of the third while the others are killed
 * in turn. The tests go on with what the one before left.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ApiEvent } from '../../src/api/events.ts';
import type { ApiView } from '../../src/api/view.ts';
import { waitFor } from '../../src/base/retry.ts';
import { isAlive } from '../../src/testbed/leftovers.ts';
import { whyNoNetworkHosts } from '../../src/testbed/network-hosts.ts';
import { type Bridge, openBridge } from '../support/bridge.ts';
import { makeCertificates } from '../support/certificates.ts';
import { desktop, openBrowser, openTab } from '../support/dashboard/browser.ts';
import { HostFleet } from '../support/host-fleet.ts';

const hosts = ['a', 'b', 'c'];
const why = whyNoNetworkHosts();

describe.skipIf(why !== null)(`three hosts${why === null ? '' : `: skipped, ${why}`}`, () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'hf-hosts-'));
  const files = makeCertificates(folder, ['10.77.0.1', '10.77.0.2', '10.77.0.3']);
  const ca = readFileSync(files.ca);
  const problems: string[] = [];
  let fleet: HostFleet;
  let browser: Browser;
  let bridges: Bridge[];
  let tab: Page;
  /** Whose page it is: the agents of the other two are killed, first that of the primary's host. */
  let watcher: string;
  let others: string[];

  beforeAll(async () => {
    fleet = new HostFleet(hosts, {
      redis: { on: hosts, minReplicasMaxLag: '3s' },
      sentinel: { on: hosts, detectAfter: '3s', failoverTimeout: '10s' },
      gate: { on: hosts },
      agent: { bind: '0.0.0.0', tls: { ...files } },
    });
    await Promise.all(hosts.map((host) => fleet.up(host)));
    const apis = hosts.map((host) =>
      fleet.network.relay(host, fleet.network.addressOf(host), fleet.spec.agent.port),
    );
    bridges = await Promise.all((await Promise.all(apis)).map(openBridge));
    browser = await openBrowser();
    tab = await openTab(browser, desktop, problems, { still: false, ignoreHTTPSErrors: true });
    const { host } = await fleet.primary();
    watcher = hosts.findLast((each) => each !== host) as string;
    others = [host, ...hosts.filter((each) => each !== host && each !== watcher)];
    await tab.goto(addressOf(watcher));
    await top('healthy');
  });
  afterAll(async () => {
    await browser?.close();
    await Promise.all((bridges ?? []).map((bridge) => bridge.close()));
    await fleet?.destroy();
    rmSync(folder, { recursive: true, force: true });
  });

  const addressOf = (host: string) => `https://127.0.0.1:${bridges[hosts.indexOf(host)]?.port}/`;
  const within = { withinMs: 60_000, everyMs: 50 };

  /** What the agent of a host answers on that host. */
  function ask<T>(host: string, question: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const call = get(new URL(question, addressOf(host)), { ca, agent: false }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => resolve(JSON.parse(text) as T));
      });
      call.on('error', reject);
    });
  }

  async function top(text: string): Promise<void> {
    await tab.locator('.top', { hasText: text }).waitFor();
  }

  async function killAgent(host: string): Promise<void> {
    const pid = fleet.pidOf(host, 'agent.json');
    process.kill(pid, 'SIGKILL');
    await waitFor(() => !isAlive(pid), { what: `the agent of ${host} to be gone`, withinMs: 60_000 });
  }

  const banner = (name: string) => tab.getByRole('complementary', { name });
  const keysOf = (events: readonly ApiEvent[]) => events.map(({ host, seq }) => `${host} ${seq}`);

  test('every agent tells of all hosts: what only each can see, and what each noted, by time', async () => {
    const view = await waitFor(
      async () => {
        const seen = await ask<ApiView>('b', '/api/view');
        return seen.hosts.every(({ missing }) => missing === null) ? seen : undefined;
      },
      { what: 'an answer of every host at b', ...within },
    );
    expect(view.hosts.map(({ agent }) => agent)).toEqual(['up', 'here', 'up']);
    expect(view.gates.every(({ pid, clients }) => pid !== null && clients !== null)).toBe(true);
    const all = await waitFor(
      async () => {
        const told = await Promise.all(hosts.map((host) => ask<ApiEvent[]>(host, '/api/events?limit=5000')));
        const sorted = told.map((events) => keysOf(events).sort().join());
        return new Set(sorted).size === 1 ? (told[0] as ApiEvent[]) : undefined;
      },
      { what: 'the same events at every agent', ...within },
    );
    expect(new Set(all.map(({ host }) => host))).toEqual(new Set(hosts));
    const times = all.map(({ at }) => Date.parse(at));
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    // Meanwhile something may happen: then there is an event behind the position.
    await waitFor(
      async () => {
        const { events: position } = await ask<ApiView>('c', '/api/view');
        const named = position.split(',').map((each) => each.split(':')[0]);
        expect(named.sort()).toEqual(hosts);
        const more = await ask<ApiEvent[]>('a', `/api/events?after=${encodeURIComponent(position)}`);
        return more.length === 0;
      },
      { what: 'no event behind the position of another agent', ...within },
    );
  });

  test('what is asked for at one host is shown at the page of another, with its steps, also after a reload', async () => {
    const [, host = ''] = others;
    const { sentinels } = await fleet.status(host);
    const { id = '' } = sentinels.find((each) => each.host === host) ?? {};
    expect(await fleet.run(host, 'restart', [], [id])).toMatchObject({ status: 0 });
    const look = async () => {
      await tab.goto(`${addressOf(watcher)}#/events`);
      const job = tab.locator('.jobs li', { hasText: `at ${host}` }).filter({ hasText: `restart ${id}` });
      await job.locator('summary').click();
      await job.locator('.steps li').first().waitFor();
      expect(await job.textContent()).toContain('done');
    };
    await look();
    await tab.reload();
    await look();
    await tab.goto(`${addressOf(watcher)}#/overview`);
  });

  test('two agents are killed in turn, and the page of the third says whose answer is missing', async () => {
    for (const host of others) {
      await killAgent(host);
      const words = `the agent of ${host}: no agent listens there`;
      await banner('Answers that are missing').getByText(words).waitFor();
    }
    // What runs there goes on, and this agent sees that by itself.
    const view = await waitFor(
      async () => {
        const seen = await ask<ApiView>(watcher, '/api/view');
        return seen.members.every(({ state }) => state === 'up') ? seen : undefined;
      },
      { what: 'all members to be up', ...within },
    );
    await top(`primary ${view.primary}`);
    // The command line says the same.
    const { state, problems: said, beside } = await fleet.status(watcher);
    expect(state).toBe('degraded');
    for (const host of others) {
      expect(said.join('\n')).toContain(`the agent of ${host} does not answer`);
      expect(beside.join('\n')).toContain(`the agent of ${host} does not answer`);
    }
    await expect.poll(() => tab.locator('.picture a.member.bad').count()).toBe(0);
    expect(view.gates.filter(({ ageMs }) => ageMs === null).map(({ host }) => host)).toEqual([watcher]);
  });

  test('the primary of one of them dies: the page shows the death, and the next one that there is', async () => {
    const { primary: old, members } = await ask<ApiView>(watcher, '/api/view');
    const { id = '', host = '' } = members.find((member) => member.id === old) ?? {};
    process.kill(fleet.pidOf(host, `members/${id}/process.json`), 'SIGKILL');
    await tab.locator('.picture a.member.bad').waitFor();
    const { primary } = await fleet.waitForStatus(
      watcher,
      'another primary',
      (status) => status.primary !== null && status.primary !== old,
    );
    await top(`primary ${primary}`);
    expect(await fleet.member(primary as string).role()).toContain('master');
    await banner('What is wrong').getByText(id).first().waitFor();
  });

  test('they come back, and what they noted meanwhile is among the events of the page', async () => {
    for (const { status } of await Promise.all(others.map((host) => fleet.up(host)))) expect(status).toBe(0);
    await fleet.waitUntilHealthy();
    await top('healthy');
    await banner('Answers that are missing').waitFor({ state: 'detached' });
    await tab.goto(`${addressOf(watcher)}#/events`);
    await tab.getByLabel('Find events').fill('adopted');
    const noted = (host: string) =>
      tab.locator('tr', { hasText: 'adopted' }).locator('td', { hasText: new RegExp(`^${host}$`) });
    for (const host of others) await noted(host).first().waitFor();
    const told = await Promise.all(hosts.map((host) => ask<ApiEvent[]>(host, '/api/events?limit=5000')));
    expect(new Set(told.flatMap((events) => events.map(({ host }) => host)))).toEqual(new Set(hosts));
    expect(problems).toEqual([]);
  });
});
