import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { waitFor } from '../../base/retry.ts';
import { MemberWatch, nothingKnown, observe } from './member-watch.ts';

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

describe('whether a replica has been in sync', () => {
  const replica = { role: 'slave', master_link_status: 'down', run_id: 'a' };
  const seen = (info: Record<string, string>, before = nothingKnown) => observe(info, before);
  const linked = seen({ ...replica, master_link_status: 'up' });

  test('it was, as long as the same process is the same replica', () => {
    expect(linked.synced).toBe(true);
    expect(seen(replica, linked).synced).toBe(true);
    expect(seen({ ...replica, master_sync_in_progress: '1' }, linked).synced).toBe(false);
  });

  test('another process has not, also when nobody saw the first one die', () => {
    expect(seen({ ...replica, run_id: 'b' }, linked).synced).toBe(false);
  });

  test('its agent’s word counts: it lets it be promoted', () => {
    const heldBack = seen({ ...replica, slave_priority: '0' });
    expect(heldBack.synced).toBe(false);
    expect(seen({ ...replica, slave_priority: '100' }, heldBack).synced).toBe(true);
  });

  test('one that was a primary until now has its own data', () => {
    const primary = seen({ role: 'master', run_id: 'a' }, linked);
    expect(primary.synced).toBe(false);
    expect(seen(replica, primary).synced).toBe(false);
  });

  test('to an agent that has just started the age of the broken link tells', () => {
    expect(seen({ ...replica, master_link_down_since_seconds: '12' }).synced).toBe(true);
    expect(seen({ ...replica, master_link_down_since_seconds: '-1' }).synced).toBe(false);
    expect(seen(replica).synced).toBe(false);
  });
});

test('it says itself that its AOF can’t be written; without an AOF what that field says is of before', () => {
  const fails = (info: Record<string, string>) =>
    observe({ role: 'master', ...info }, nothingKnown).storeFails;
  expect(fails({ aof_enabled: '1', aof_last_write_status: 'err' })).toBe(true);
  expect(fails({ aof_enabled: '1', aof_last_write_status: 'ok' })).toBe(false);
  expect(fails({ aof_enabled: '0', aof_last_write_status: 'err' })).toBe(false);
});
