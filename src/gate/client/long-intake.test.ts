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
  const begun = (length: number) => {
    const rest = Buffer.concat([Buffer.from(`*2\r\n$5\r\nWATCH\r\n$${length}\r\n`), Buffer.alloc(2048)]);
    const { client } = clientWith(rest);
    Object.assign(client, { fail: (text: string) => said.push(text), pump: () => {} });
    return new LongIntake(client).begin(() => true);
  };
  expect(begun(63 * 1024 * 1024)).toBe(true);
  expect(said).toEqual([]);
  expect(begun(64 * 1024 * 1024)).toBe(false);
  expect(said).toEqual(['ERR Protocol error: the request is too long to be kept']);
});
