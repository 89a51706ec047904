/**
 * How fluid the page is with 50 members, 500 clients and 10,000 events, while once a second every figure changes, each chart
 * gets a sample, and something happens: `npm run bench:dashboard`. Needs a quiet machine. No frame may take more than 50 ms.
 * It prints, for each page, the longest frame, the longest task and how much of a core the page's thread took.
 * `SLOWER=4` shows it as on a machine that is four times slower, `SECONDS_EACH=30` looks at each page for longer.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ApiHistory } from '../../src/api/history.ts';
import type { ApiView } from '../../src/api/view.ts';
import * as made from '../support/dashboard/answers.ts';
import { desktop, openBrowser, openTab } from '../support/dashboard/browser.ts';
import { PageServer } from '../support/dashboard/page-server.ts';
import { crowded } from '../support/dashboard/states.ts';

const secondsEach = Number(process.env['SECONDS_EACH'] ?? 10);
/** How many times slower than this machine the page's thread is made to be. */
const slower = Number(process.env['SLOWER'] ?? 1);

/** Runs in the page: frames and long tasks, from now on. */
const watch = `(() => {
  window.seen = { frames: 0, longestFrameMs: 0, over50: 0, longestTaskMs: 0 };
  let before = performance.now();
  const frame = (now) => {
    const took = now - before;
    before = now;
    window.seen.frames += 1;
    window.seen.longestFrameMs = Math.max(window.seen.longestFrameMs, took);
    if (took > 50) window.seen.over50 += 1;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries())
      window.seen.longestTaskMs = Math.max(window.seen.longestTaskMs, duration);
  }).observe({ entryTypes: ['longtask'] });
})()`;

/** What Chromium says of the page's thread, in seconds. */
const spent = ['TaskDuration', 'ScriptDuration', 'RecalcStyleDuration', 'LayoutDuration'];

interface Seen {
  frames: number;
  longestFrameMs: number;
  over50: number;
  longestTaskMs: number;
}

let server: PageServer;
let browser: Awaited<ReturnType<typeof openBrowser>>;
let changing: NodeJS.Timeout;

beforeAll(async () => {
  server = await PageServer.start();
  browser = await openBrowser();
  server.told = crowded();
  const { told } = server;
  // The events that are there end now.
  const shiftMs = Date.now() - Date.parse(told.events.at(-1)?.at ?? '');
  for (const event of told.events) event.at = new Date(Date.parse(event.at) + shiftMs).toISOString();
  let turn = 0;
  told.answers = {
    '/api/history': (query: URLSearchParams) => growing(query),
    '/api/clients': () => {
      const all = made.clients(told.view, told.clients);
      const clients = all.clients.map((client, index) => ({
        ...client,
        ageMs: client.ageMs + turn * 1000,
        lastCommand: (turn + index) % 3 === 0 ? 'get' : 'hset',
      }));
      return { ...all, clients };
    },
  };
  const change = () => {
    turn += 1;
    told.view = changed(told.view, turn);
    told.events.push({
      ...{ seq: told.view.seq, at: told.view.at, kind: turn % 5 === 0 ? 'exited' : 'adopted', host: 'a' },
      ...{ subject: `redis-${(turn % 50) + 1}`, text: `event ${told.view.seq} of many` },
    });
    server.push();
  };
  change();
  changing = setInterval(change, 1000);
});

function changed(view: ApiView, turn: number): ApiView {
  const seq = view.seq + 1;
  return {
    ...view,
    ...{ seq, events: String(seq), at: new Date().toISOString() },
    clients: { ...view.clients, commandsPerSecond: 80_000 + ((turn * 331) % 9000) },
    members: view.members.map((member, index) => ({
      ...member,
      lagBytes: (turn * 37 + index * 101) % 5000,
      commandsPerSecond: 6000 + ((turn * 91 + index * 17) % 900),
    })),
    gates: view.gates.map((gate, index) => ({
      ...gate,
      commandsPerSecond: 14_000 + ((turn * 53 + index * 29) % 3000),
    })),
  };
}

/** The samples of the seconds, or minutes, up to now. */
function growing(query: URLSearchParams): ApiHistory {
  const step = query.get('step') === '1m' ? '1m' : '1s';
  const { stepMs, at, deployment, members } = made.history(step, server.told.view, null);
  const last = Math.floor(Date.now() / stepMs);
  const wanted = Math.floor((Date.now() - Number(query.get('from') ?? 0)) / stepMs);
  const many = Math.max(0, Math.min(at.length, wanted));
  const newest = <S extends Record<string, readonly unknown[]>>(columns: S): S =>
    Object.fromEntries(
      Object.entries(columns).map(([name, series]) => [
        name,
        Array.from({ length: many }, (_, index) => series[(last - many + 1 + index) % series.length]),
      ]),
    ) as unknown as S;
  return {
    stepMs,
    at: Array.from({ length: many }, (_, index) => (last - many + 1 + index) * stepMs),
    deployment: newest(deployment),
    members: Object.fromEntries(Object.entries(members).map(([id, columns]) => [id, newest(columns)])),
  };
}

afterAll(async () => {
  clearInterval(changing);
  await browser?.close();
  await server?.close();
});

for (const page of ['overview', 'time', 'time?last=1h', 'events', 'members', 'gates']) {
  test(page, { timeout: 60_000 + secondsEach * 1000 }, async () => {
    const tab = await openTab(browser, desktop, [], { still: false });
    await tab.goto(`${server.address}#/${page}`);
    await tab.locator('main .card').first().waitFor();
    await expect.poll(() => tab.locator('.wait').count(), { timeout: 15_000 }).toBe(0);
    const session = await tab.context().newCDPSession(tab);
    await session.send('Performance.enable');
    await session.send('Emulation.setCPUThrottlingRate', { rate: slower });
    const busy = async () => {
      const { metrics } = await session.send('Performance.getMetrics');
      const secondsOf = (name: string) => metrics.find((each) => each.name === name)?.value ?? 0;
      return spent.map(secondsOf);
    };
    const before = await busy();
    await tab.evaluate(watch);
    await tab.waitForTimeout(secondsEach * 1000);
    const after = await busy();
    const [all = 0, ...parts] = after.map((seconds, index) => (seconds - (before[index] ?? 0)) / secondsEach);
    const seen = await tab.evaluate<Seen>('window.seen');
    console.log(
      `${page}: longest frame ${seen.longestFrameMs.toFixed(0)} ms, ${seen.over50} of ${seen.frames} over 50 ms, ` +
        `longest task ${seen.longestTaskMs.toFixed(0)} ms, ${(100 * all).toFixed(0)} % of a core; a second has ` +
        ['script', 'style', 'layout']
          .map((name, index) => `${name} ${(1000 * (parts[index] ?? 0)).toFixed(0)} ms`)
          .join(', '),
    );
    await tab.context().close();
    expect(seen.over50, 'frames over 50 ms').toBe(0);
  });
}
