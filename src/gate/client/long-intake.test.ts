import { Buffer } from 'node:buffer';
import { expect, test } from 'vitest';
import { redisRequestLimits } from '../../resp/request.ts';
import { writeRequest } from '../../resp/write.ts';
import { CommandTable } from '../commands/command-table.ts';
import type { Client } from './client.ts';
import { LongIntake } from './long-intake.ts';
import { wayOfLong } from './long-request.ts';
import { RequestBuffer } from './request-buffer.ts';

const requestBytes = 1024;
const table = new CommandTable();
const row = (name: string, flag: string) => [name, 1, [flag], 0, 0, 0, [], [], [], []];
table.load([row('get', 'readonly'), row('set', 'write')]);

/** A client that was taken a GET from, and has so much of its next request there. */
function clientWith(rest: Buffer) {
  const requests = new RequestBuffer();
  const asked: string[] = [];
  const router = {
    config: { limits: { requestBytes } },
    table,
    refuses: false,
    route: () => {
      asked.push('a connection');
      return null;
    },
  };
  const get = writeRequest(['GET', 'a']);
  requests.add(Buffer.concat([get, rest]), 0, get.length + rest.length);
  requests.take(requests.next(0, redisRequestLimits));
  requests.next(requests.pos, redisRequestLimits);
  const client = { requests, router, session: { transaction: { open: false } } } as unknown as Client;
  return { client, asked, requests };
}

test('a request that came in part and is short is no long one, wherever it was cut', () => {
  const set = writeRequest(['SET', 'k', 'v'.repeat(100)]);
  for (let cut = 1; cut < set.length; cut++) {
    const { client, asked, requests } = clientWith(set.subarray(0, cut));
    const intake = new LongIntake(client);
    expect(
      intake.begin(() => true),
      `cut at ${cut}`,
    ).toBe(true);
    expect([intake.active, asked, requests.size], `cut at ${cut}`).toEqual([false, [], cut]);
  }
});

test('what has no name yet is not taken for the command before it', () => {
  expect(wayOfLong(clientWith(Buffer.from('*3')).client)).toBe('keep');
});

test('what says that it will be longer than what is kept is told so before it has come', () => {
  const said: string[] = [];
  const begun = (count: number, length: number) => {
    const begin = `*${count}\r\n$5\r\nWATCH\r\n$${length}\r\n`;
    const { client } = clientWith(Buffer.concat([Buffer.from(begin), Buffer.alloc(2048)]));
    Object.assign(client.router, { requestLimits: redisRequestLimits });
    Object.assign(client, { fail: (text: string) => said.push(text), pump: () => {} });
    return new LongIntake(client).begin(() => true);
  };
  expect(begun(2, 63 * 1024 * 1024)).toBe(true);
  expect(begun(400_000, 3000)).toBe(true);
  expect(said).toEqual([]);
  expect(begun(2, 64 * 1024 * 1024)).toBe(false);
  // An argument takes more than its bytes.
  expect(begun(600_000, 3000)).toBe(false);
  const tooLong = 'ERR Protocol error: the request is too long to be kept';
  expect(said).toEqual([tooLong, tooLong]);
});

test('what is kept comes whole, wherever it was cut, and what stands behind it after it', () => {
  const watch = writeRequest(['WATCH', 'a'.repeat(3000), 'b'.repeat(3000)]);
  const behind = writeRequest(['GET', 'k']);
  const all = Buffer.concat([watch, behind]);
  for (let cut = requestBytes + 20; cut < all.length; cut += 7) {
    const { client, requests } = clientWith(all.subarray(0, Math.min(cut, 2000)));
    Object.assign(client.router, { requestLimits: redisRequestLimits });
    const intake = new LongIntake(client);
    expect(intake.begin(() => true)).toBe(true);
    let rest = Buffer.alloc(0);
    for (let at = Math.min(cut, 2000); at < all.length; at += cut) {
      const chunk = all.subarray(at, Math.min(all.length, at + cut));
      const taken = intake.active ? intake.pass(chunk) : 0;
      rest = Buffer.concat([rest, chunk.subarray(taken)]);
    }
    expect(intake.active, `cut at ${cut}`).toBe(false);
    expect(requests.buf.subarray(requests.pos, requests.end).equals(watch), `cut at ${cut}`).toBe(true);
    expect(rest.equals(behind), `cut at ${cut}`).toBe(true);
  }
});
