/**
 * What pages and streams cost an agent that runs, and whether a failover notices: `npm run bench:agent`. Needs a quiet
 * machine. An open page may cost 1 % of a core, /metrics answers in 50 ms, and streams may not be noticed by a failover.
 * It prints the agent's share of a core for each open page, the longest answers to a scrape, and the longest gap between
 * two acknowledged writes around a kill of the primary, without streams and while a thousand are opened and kept.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { ApiClient, type SeenStream } from '../support/api-client.ts';
import { TestDeployment } from '../support/deployment.ts';

const pages = Number(process.env['PAGES'] ?? 10);
const secondsEach = Number(process.env['SECONDS_EACH'] ?? 20);
/** Of a core. */
const mostEach = 0.01;
/** For /metrics, the first answer of an agent too. */
const metricsWithinMs = 50;
/** How much later a write may be taken behind a failover while streams are open. */
const mostLaterMs = 50;
const kills = Number(process.env['KILLS'] ?? 10);
/** Of the clock in which Linux counts a process's time (USER_HZ). */
const ticksPerSecond = 100;

let deployment: TestDeployment;
let api: ApiClient;

beforeAll(async () => {
  deployment = await TestDeployment.up({ agent: { restarts: { limit: 1000, within: '1m' } } });
  await deployment.waitUntilHealthy();
  api = new ApiClient(deployment.ports.api);
});
afterAll(() => deployment?.destroy());

/** Who may operate may have all streams that there are. */
const token = () => readFileSync(path.join(deployment.stateDir, 'api-operate-token'), 'utf8').trim();

/** Seconds of a processor that the agent has used. */
function agentSeconds(): number {
  const stat = readFileSync(`/proc/${deployment.agentPid()}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** The agent's share of a core meanwhile. */
async function shareWhile(work: () => Promise<unknown>): Promise<number> {
  const [beforeS, beforeMs] = [agentSeconds(), performance.now()];
  await work();
  return ((agentSeconds() - beforeS) * 1000) / (performance.now() - beforeMs);
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** What each page asks for beside the view as a stream, second by second (dashboard/src/pages). */
const asks: Readonly<Record<string, (second: number) => string[]>> = {
  overview: () => [`/api/history?step=1s&from=${Date.now() - 2000}`],
  gates: () => ['/api/clients'],
  member: (second) => (second % 3 === 0 ? ['/api/members/redis-1'] : []),
};

async function asPage(asked: (second: number) => string[]): Promise<void> {
  const stream = api.stream('/api/view/stream');
  for (let second = 0; second < secondsEach; second += 1) {
    for (const path of asked(second)) expect((await api.get(path)).status, path).toBe(200);
    await pause(1000);
  }
  stream.end();
  // A page that is told nothing costs nothing.
  expect(stream.messages.length, 'views').toBeGreaterThanOrEqual(secondsEach - 1);
}

for (const [page, asked] of Object.entries(asks)) {
  test(`open pages: ${page}`, { timeout: 60_000 + secondsEach * 3000 }, async () => {
    const before = await shareWhile(() => pause(secondsEach * 1000));
    const watched = await shareWhile(() => Promise.all(Array.from({ length: pages }, () => asPage(asked))));
    const one = await shareWhile(() => asPage(asked));
    // An agent that has just begun costs more: the quieter of the two.
    const alone = Math.min(before, await shareWhile(() => pause(secondsEach * 1000)));
    const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
    console.log(
      `agent: ${percent(alone)} of a core without a page; with the ${page} open once ${percent(one)}, ` +
        `${pages} times ${percent(watched)}: ${percent((watched - alone) / pages)} for each`,
    );
    expect((watched - alone) / pages, 'of a core for each page').toBeLessThanOrEqual(mostEach);
  });
}

/** How long an answer took, in ms. */
async function msOf(path: string): Promise<number> {
  const askedMs = performance.now();
  const answer = await fetch(`http://127.0.0.1:${deployment.ports.api}${path}`);
  await answer.text();
  expect(answer.status, path).toBe(200);
  return performance.now() - askedMs;
}

test('answers to a scrape, the first of an agent among them', { timeout: 120_000 }, async () => {
  const firsts: number[] = [];
  const others: number[] = [];
  for (let start = 0; start < 5; start += 1) {
    process.kill(deployment.agentPid(), 'SIGKILL');
    await deployment.start();
    await deployment.waitUntilHealthy();
    firsts.push(await msOf('/metrics'));
    for (let scrape = 0; scrape < 20; scrape += 1) others.push(await msOf('/metrics'));
  }
  const most = (all: readonly number[]) => Math.max(...all);
  console.log(
    `/metrics: the first answers of ${firsts.length} agents took at most ${most(firsts).toFixed(0)} ms, ` +
      `${others.length} others at most ${most(others).toFixed(0)} ms`,
  );
  expect(most([...firsts, ...others]), 'ms for an answer').toBeLessThanOrEqual(metricsWithinMs);
});

/** The longest time between two acknowledged writes around a kill of the primary, in ms. */
async function gapOfKill(): Promise<number> {
  await deployment.waitUntilHealthy();
  const client = deployment.client();
  await client.set('key', '0');
  const { pid } = await deployment.primary();
  let lastMs = performance.now();
  let longestMs = 0;
  let killed = false;
  const untilMs = performance.now() + 3000;
  while (performance.now() < untilMs) {
    if (!killed && performance.now() > untilMs - 2500) {
      process.kill(pid as number, 'SIGKILL');
      killed = true;
    }
    // A write that was under way may be answered with UNCERTAIN: the next that is taken ends the gap.
    const taken = await client.set('key', '1').catch(() => null);
    if (taken !== 'OK') continue;
    longestMs = Math.max(longestMs, performance.now() - lastMs);
    lastMs = performance.now();
  }
  client.disconnect();
  return longestMs;
}

/** Without streams: the median, once it was measured. */
let usualMs: number | null = null;

for (const many of [0, 1000]) {
  test(`failover with ${many} streams`, { timeout: 60_000 + kills * 20_000 }, async () => {
    const streams: SeenStream[] = Array.from({ length: many }, () =>
      api.stream('/api/view/stream', { authorization: `Bearer ${token()}` }),
    );
    await waitFor(async () => streams.every(({ status, closed }) => status !== undefined || closed), {
      what: 'an answer to every stream',
      withinMs: 60_000,
      everyMs: 50,
    });
    const gaps: number[] = [];
    for (let kill = 0; kill < kills; kill += 1) gaps.push(await gapOfKill());
    const open = streams.filter(({ status, closed }) => status === 200 && !closed).length;
    for (const stream of streams) stream.end();
    gaps.sort((a, b) => a - b);
    console.log(
      `failover with ${many} streams asked for, ${open} open: the longest gap of writes has a median of ` +
        `${gaps[Math.floor(gaps.length / 2)]?.toFixed(0)} ms, at most ${gaps.at(-1)?.toFixed(0)} ms (${kills} kills)`,
    );
    expect(open).toBe(Math.min(many, 200));
    const medianMs = gaps[Math.floor(gaps.length / 2)] ?? 0;
    expect(medianMs, 'ms without a write').toBeLessThanOrEqual((usualMs ?? medianMs) + mostLaterMs);
    usualMs ??= medianMs;
  });
}
