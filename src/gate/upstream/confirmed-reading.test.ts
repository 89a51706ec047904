import { Buffer } from 'node:buffer';
import { expect, test } from 'vitest';
import type { MemberAddress } from '../config.ts';
import { type Confirm, ConfirmedReading } from './confirmed-reading.ts';
import { Inbox } from './inbox.ts';
import type { Run } from './run.ts';

const server: MemberAddress = { id: 'redis-1', address: '10.1.0.1', port: 6379 };

const write = { durable: true, client: null as Run['client'], mustBeConfirmed: () => {} };
const writesOnly = (confirm: Confirm) => ({ confirm, confirmsReads: false });

/** What a server sent, one piece after the other, and what became of it. */
function reading(confirmed: boolean, run = write, confirmsReads = false, refusal?: Buffer) {
  const inbox = new Inbox();
  const taken: string[] = [];
  let failed: string | null = null;
  const asked: MemberAddress[] = [];
  const reader = new ConfirmedReading(
    server,
    {
      confirm: (from, done) => {
        asked.push(from);
        done(confirmed, refusal);
      },
      confirmsReads,
    },
    inbox,
    {
      isClosed: () => failed !== null,
      read: () => {},
      consume: (end) => {
        taken.push(inbox.buf.toString('latin1', inbox.start, end));
        inbox.taken(end);
      },
      fail: (reason) => {
        failed = reason;
      },
      abandon: () => {
        failed = `refused: ${reader.refusal}`;
      },
    },
  );
  reader.sent(run);
  const come = (text: string) => {
    inbox.add(Buffer.from(text));
    reader.onBytes();
    return { taken, failed, asked };
  };
  return come;
}

test('an answer to a write is taken when it is confirmed, by who sent it', () => {
  expect(reading(true)('+OK\r\n')).toEqual({ taken: ['+OK\r\n'], failed: null, asked: [server] });
});

test('an answer to a client’s read is confirmed only where all are', () => {
  const readOf = (client: object | null) => ({
    durable: false,
    client: client as Run['client'],
    mustBeConfirmed() {
      this.durable = true;
    },
  });
  const read = readOf(null);
  expect(reading(false, read)('$-1\r\n')).toEqual({ taken: ['$-1\r\n'], failed: null, asked: [] });
  expect(reading(false, read, true)('$-1\r\n')).toEqual({ taken: ['$-1\r\n'], failed: null, asked: [] });
  const asked = () => readOf({});
  expect(reading(true, asked(), true)('$-1\r\n')).toMatchObject({ taken: ['$-1\r\n'], asked: [server] });
  expect(reading(false, asked(), true)('$-1\r\n')).toMatchObject({ taken: [], failed: expect.any(String) });
  const refused = reading(false, asked(), true, Buffer.from('-NOQUORUM'));
  expect(refused('$-1\r\n')).toMatchObject({ taken: [], failed: 'refused: -NOQUORUM' });
});

test('one that is not confirmed is given up, and refusals before it are passed on', () => {
  expect(reading(false)('+OK\r\n')).toMatchObject({ taken: [], failed: expect.any(String) });
  const come = reading(false);
  expect(come('-READONLY no\r\n')).toMatchObject({ taken: ['-READONLY no\r\n'], failed: null });
  expect(come('-READONLY no\r\n:1\r\n').failed).not.toBeNull();
});

test('of what waits to be confirmed when the connection ends, the refusals are taken, and nothing else', () => {
  const ending = (text: string) => {
    const inbox = new Inbox();
    const taken: string[] = [];
    const answers: ((confirmed: boolean) => void)[] = [];
    let closed = false;
    const reader = new ConfirmedReading(
      server,
      writesOnly((_from, done) => answers.push(done)),
      inbox,
      {
        isClosed: () => closed,
        read: () => {},
        consume: (end) => {
          taken.push(inbox.buf.toString('latin1', inbox.start, end));
          inbox.taken(end);
        },
        fail: () => {},
        abandon: () => {},
      },
    );
    reader.sent(write);
    inbox.add(Buffer.from(text));
    reader.onBytes();
    expect(taken).toEqual([]);
    reader.onEnd();
    closed = true;
    for (const done of answers) done(true);
    return taken;
  };
  const unblocked = '-UNBLOCKED force unblock from blocking operation\r\n';
  expect(ending(unblocked)).toEqual([unblocked]);
  expect(ending(`${unblocked}:1\r\n`)).toEqual([unblocked]);
  expect(ending(':1\r\n')).toEqual([]);
});

test('while much waits to be confirmed no more is read', () => {
  const inbox = new Inbox();
  const read: boolean[] = [];
  let confirm: (confirmed: boolean) => void = () => {};
  const ask = (_from: MemberAddress, done: (confirmed: boolean) => void) => {
    confirm = done;
  };
  const reader = new ConfirmedReading(server, writesOnly(ask), inbox, {
    isClosed: () => false,
    read: (on) => read.push(on),
    consume: (end) => inbox.taken(end),
    fail: () => {},
    abandon: () => {},
  });
  reader.sent(write);
  const come = (bytes: number) => {
    inbox.add(Buffer.alloc(bytes));
    reader.onBytes();
  };
  come(5);
  for (let count = 0; count < 20; count++) come(2 ** 20);
  expect([read, reader.standsStill]).toEqual([[false], true]);
  reader.answered(write);
  confirm(true);
  expect([read, reader.standsStill]).toEqual([[false, true], false]);
});
