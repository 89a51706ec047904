import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { waitFor } from '../../base/retry.ts';
import { MemberWatch } from './member-watch.ts';

/** A server that answers each question when the test says so, with the offset that it has then. */
let server: Server;
let watch: MemberWatch;
let asked: Socket[] = [];

beforeEach(async () => {
  asked = [];
  server = createServer((socket) => {
    socket.on('data', (data) => {
      for (const _ of data.toString().matchAll(/INFO/gi)) asked.push(socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  watch = new MemberWatch({ endpoint: { host: '127.0.0.1', port }, timeoutMs: 10_000 }, systemClock);
});
afterEach(() => {
  watch.client.close();
  server.close();
});

function answer(socket: Socket | undefined, offset: number): void {
  const info = ['role:slave', 'master_link_status:up', `slave_repl_offset:${offset}`, 'run_id:a'].join(
    '\r\n',
  );
  socket?.write(`$${info.length}\r\n${info}\r\n`);
}

const questions = (count: number) =>
  waitFor(() => asked.length >= count, { what: `question ${count}`, withinMs: 5000, everyMs: 5 });

test('a look that is asked for while another is under way says what was true afterwards', async () => {
  const early = watch.look();
  await questions(1);
  const late = watch.look();
  answer(asked[0], 100);
  await early;
  expect(watch.seen.offset).toBe(100);
  await questions(2);
  answer(asked[1], 200);
  await late;
  expect(watch.seen.offset).toBe(200);
});
