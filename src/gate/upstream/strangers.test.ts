import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { waitFor } from '../../base/retry.ts';
import { Strangers } from './strangers.ts';

const asked: Socket[] = [];
const server = createServer((socket) => socket.on('data', () => asked.push(socket)));
afterEach(() => server.close());

/** What a server of one's own says to those who ask it, in the order in which they did. */
async function answer(index: number, text: string): Promise<void> {
  await waitFor(() => asked.length > index, { what: `question ${index + 1}`, withinMs: 10_000 });
  asked[index]?.write(text);
}

test('an answer to a question of before a doubt is not the answer to the one behind it', async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const member = { id: 'redis-1', address: '127.0.0.1', port };
  const strangers = new Strangers(null, () => {});
  const cameAt = performance.now();
  const before = strangers.ask(member);
  await waitFor(() => asked.length === 1, { what: 'the first question', withinMs: 10_000 });
  strangers.doubt();
  const after = strangers.ask(member);
  await answer(0, '+PONG\r\n');
  await before;
  expect(strangers.mustLogIn(member, cameAt)).toBeUndefined();
  await answer(1, '-NOAUTH Authentication required.\r\n');
  await after;
  expect(strangers.mustLogIn(member, cameAt)).toBe(true);
  // Full, it says nothing of that: what it said last holds.
  const full = strangers.ask(member);
  await answer(2, '-ERR max number of clients reached\r\n');
  await full;
  expect(strangers.mustLogIn(member, cameAt)).toBe(true);
});
