import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { writeRequest } from '../../src/resp/write.ts';
import { type GateProcess, startGate } from '../support/gate-process.ts';
import { RawClient } from '../support/raw-client.ts';
import { cleanUp, startRedis } from '../support/redis-processes.ts';

const kib = 1024;
const longName = 'n'.repeat(15 * kib);
let gate: GateProcess;

beforeAll(async () => {
  const behind = await startRedis();
  gate = await startGate({
    members: [{ id: 'redis-1', address: '127.0.0.1', port: behind.port }],
    limits: { replyBytes: 512 * kib, totalBytes: 2048 * kib },
  });
});
afterAll(cleanUp);

async function say(raw: RawClient, ...args: string[]): Promise<string> {
  await raw.write(writeRequest(args));
  return raw.reply(args[0]);
}

async function inLine<T>(count: number, one: (index: number) => Promise<T>): Promise<T[]> {
  const all: T[] = [];
  for (let index = 0; index < count; index++) all.push(await one(index));
  return all;
}

const opened = (count: number) => inLine(count, () => RawClient.open(gate.port));

test('a list that would be longer than what may be unread is an error, alone and in EXEC, and nobody hears of it', async () => {
  const clients = await opened(50);
  for (const each of clients) expect(await say(each, 'CLIENT', 'SETNAME', longName)).toBe('+OK\r\n');
  const [asking, other] = clients as [RawClient, RawClient];
  expect(await asking.ask('CLIENT LIST')).toMatch(/^-ERR .*limits\.replyBytes.*CLIENT LIST ID/);
  const id = (await asking.ask('CLIENT ID')).slice(1, -2);
  expect(await asking.ask(`CLIENT LIST ID ${id}`)).toContain(` name=${longName} `);
  asking.sendAll(['MULTI', ...Array(40).fill('CLIENT GETNAME'), 'CLIENT LIST', 'PING', 'EXEC']);
  await inLine(43, () => asking.reply());
  const executed = await asking.reply('EXEC');
  expect(executed.length).toBeLessThan(600 * kib);
  // As many as there is room for; then the error, and what is not about clients.
  expect(executed.split(longName).length - 1).toBeGreaterThan(30);
  expect(executed).toMatch(/-ERR .*limits\.replyBytes[^\n]*\n-ERR .*limits\.replyBytes[^\n]*\n\+PONG\r\n$/);
  expect(await other.ask('PING')).toBe('+PONG\r\n');
  expect(await say(asking, 'CLIENT', 'SETNAME', '')).toBe('+OK\r\n');
  for (const each of clients) each.close();
});

test('what a client calls itself or logs in with is refused beyond 16 KiB, however it comes', async () => {
  const [raw] = (await opened(1)) as [RawClient];
  for (const bytes of [17 * kib, 1500 * kib]) {
    const longer = 'n'.repeat(bytes);
    const refused = /^-ERR [A-Z ]+ of more than 16384 bytes is not possible through a gate\r\n$/;
    expect(await say(raw, 'CLIENT', 'SETNAME', longer)).toMatch(refused);
    expect(await say(raw, 'HELLO', '2', 'SETNAME', longer)).toMatch(refused);
    expect(await say(raw, 'AUTH', 'default', longer)).toMatch(refused);
    expect(await raw.ask('MULTI')).toBe('+OK\r\n');
    expect(await say(raw, 'AUTH', 'default', longer)).toMatch(refused);
    expect(await raw.ask('EXEC')).toMatch(/^-EXECABORT /);
  }
  expect(await raw.ask('CLIENT GETNAME')).toBe('$-1\r\n');
  expect(await raw.ask('PING')).toBe('+PONG\r\n');
  raw.close();
});

for (const [what, words] of [
  ['names', (_index: number) => ['CLIENT', 'SETNAME', longName]],
  // Anything is good for a user without a password, and is kept.
  ['passwords', (index: number) => ['AUTH', 'default', `${index}`.padEnd(7 * kib, 'p')]],
] as const) {
  test(`${what} count in limits.totalBytes`, async () => {
    const before = (await gate.control.status()).closed.waiting;
    const clients = await opened(180);
    for (const [index, each] of clients.entries()) {
      await each.write(writeRequest([...words(index)]));
      if (index === 60) expect(await each.reply()).toBe('+OK\r\n');
    }
    const closed = async () => (await gate.control.status()).closed.waiting - before;
    await waitFor(async () => (await closed()) > 0, { what: 'one too many to be closed', withinMs: 10_000 });
    for (const each of clients) each.close();
    const gone = async () => (await gate.control.status()).clients === 0;
    await waitFor(gone, { what: 'all to be gone', withinMs: 10_000 });
    expect(await closed()).toBeLessThan(100);
  });
}
