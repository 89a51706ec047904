import { beforeEach, expect, test } from 'vitest';
import type { Busy, MemberRole } from '../../topology/view.ts';
import type { LiveMember, Setting } from '../deployment.ts';
import { SlowCommands } from './slow-commands.ts';

let nowMs = 0;
let told: string[] = [];
let seen: { role: MemberRole | null; busy: Busy | null } = { role: 'primary', busy: null };
let unansweredMs = 0;
/** What SLOWLOG GET says: since when, for how long in ms, and the command. */
let log: [number, number, string][] = [];

const connection = {
  call: async () =>
    log.map(([atMs, tookMs, command], i) => [
      ...[i, Math.floor(atMs / 1000), tookMs * 1000, [command]],
      ...['127.0.0.1:1', ''],
    ]),
};

function watching(): SlowCommands {
  const activity = { stoppedMs: 0, waitingMs: 0, computingMs: 2000 };
  const member = {
    place: { id: 'redis-1' },
    unit: { process: { running: true, pid: 1 }, view: { activity } },
    watch: {
      get seen() {
        return seen;
      },
      get unansweredMs() {
        return unansweredMs;
      },
      client: { connection },
    },
  } as unknown as LiveMember;
  return new SlowCommands({
    members: [member],
    spec: { agent: { hangAfterMs: 5000 } } as never,
    setting: { clock: { wallMs: () => nowMs } } as Setting,
    events: { add: (_kind: string, _subject: string, text: string) => void told.push(text) } as never,
  });
}

beforeEach(() => {
  [nowMs, told, unansweredMs, log] = [1_000_000, [], 0, []];
  seen = { role: 'primary', busy: null };
});

/** It does not answer for that long, and then does. */
async function silentFor(ms: number, watch: SlowCommands): Promise<void> {
  unansweredMs = ms;
  nowMs += ms;
  watch.look();
  unansweredMs = 0;
  watch.look();
  await new Promise((resolve) => setImmediate(resolve));
}

test('the command that kept it is named', async () => {
  log = [
    [1_000_000, 3900, 'KEYS'],
    [1_000_000, 15, 'INFO'],
  ];
  await silentFor(4000, watching());
  expect(told).toEqual([
    expect.stringContaining('a slow command keeps it busy'),
    expect.stringMatching(/^redis-1 answers again: KEYS took 3900 ms/),
  ]);
});

test('one that took a small part of the time is not what kept it', async () => {
  log = [[1_000_000, 15, 'INFO']];
  await silentFor(4000, watching());
  expect(told.at(-1)).toBe('redis-1 answers again: its slow log does not say what kept it busy');
});

test('one that was just started, or said that it loads, reads its data', async () => {
  seen = { role: null, busy: null };
  await silentFor(4000, watching());
  seen = { role: 'replica', busy: { code: 'loading', sinceMs: 0 } };
  await silentFor(4000, watching());
  expect(told).toEqual([]);
});

test('one that loads when it answers again ran no script', async () => {
  const watch = watching();
  unansweredMs = 2000;
  watch.look();
  unansweredMs = 0;
  seen.busy = { code: 'loading', sinceMs: 0 };
  watch.look();
  expect(told.at(-1)).toBe('redis-1 answers again: it loads data (LOADING)');
});

test('one that says BUSY runs a script, and is told of once', async () => {
  const watch = watching();
  unansweredMs = 2000;
  watch.look();
  unansweredMs = 0;
  seen.busy = { code: 'script', sinceMs: 0 };
  watch.look();
  watch.look();
  expect(told).toHaveLength(2);
  expect(told[1]).toBe('redis-1 says that it is busy with a script (BUSY)');
});
