/**
 * How fluid the page is with 50 members, 500 clients and 10,000 events, while every figure changes once a second:
 * `npm run bench:dashboard`. Needs a quiet machine. No frame may take more than 50 ms. It prints, for each page, the longest frame, the longest task and how
 * much of a core the page's thread took.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { desktop, openBrowser, openTab } from '../support/dashboard/browser.ts';
import { PageServer } from '../support/dashboard/page-server.ts';
import { crowded } from '../support/dashboard/states.ts';

const secondsEach = Number(process.env['SECONDS_EACH'] ?? 10);

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
  let turn = 0;
  changing = setInterval(() => {
    turn += 1;
    const { view } = server.told;
    const members = view.members.map((member, index) => ({
      ...member,
      lagBytes: (turn * 37 + index * 101) % 5000,
      commandsPerSecond: 6000 + ((turn * 91 + index * 17) % 900),
    }));
    const gates = view.gates.map((gate, index) => ({
      ...gate,
      commandsPerSecond: 14_000 + ((turn * 53 + index * 29) % 3000),
    }));
    server.told.view = { ...view, members, gates };
    server.push();
  }, 1000);
});

afterAll(async () => {
  clearInterval(changing);
  await browser?.close();
  await server?.close();
});

for (const page of ['overview', 'time', 'events', 'members', 'gates']) {
  test(page, { timeout: 60_000 + secondsEach * 1000 }, async () => {
    const tab = await openTab(browser, desktop, [], { still: false });
    await tab.goto(`${server.address}#/${page}`);
    await tab.locator('main .card').first().waitFor();
    await expect.poll(() => tab.locator('.wait').count(), { timeout: 15_000 }).toBe(0);
    const session = await tab.context().newCDPSession(tab);
    await session.send('Performance.enable');
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
