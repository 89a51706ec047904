import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { waitFor } from '../base/retry.ts';
import { RedisConnection } from './connection.ts';
import { refusalKind } from './errors.ts';
import { Link } from './link.ts';

const open: { close(): unknown }[] = [];
afterEach(() => {
  for (const each of open.splice(0)) each.close();
});

interface Play {
  endpoint: { host: string; port: number };
  asked: string[];
  sockets: Socket[];
}

/** A server that answers each command by its words, and writes down what it was asked. */
async function play(answer: (words: string, socket: Socket) => string | undefined): Promise<Play> {
  const asked: string[] = [];
  const sockets: Socket[] = [];
  const server: Server = createServer((socket) => {
    sockets.push(socket);
    open.push({ close: () => socket.destroy() });
    socket.on('error', () => {});
    let text = '';
    socket.on('data', (data) => {
      text += data.toString();
      for (let whole = takeRequest(text); whole !== null; whole = takeRequest(text)) {
        text = whole.rest;
        asked.push(whole.words);
        const reply = answer(whole.words, socket);
        if (reply !== undefined) socket.write(reply, 'latin1');
      }
    });
  });
  open.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { endpoint: { host: '127.0.0.1', port: (server.address() as AddressInfo).port }, asked, sockets };
}

function takeRequest(text: string): { words: string; rest: string } | null {
  const parts = text.split('\r\n');
  const count = Number(parts[0]?.slice(1));
  if (!(parts.length > count * 2 + 1)) return null;
  const words = Array.from({ length: count }, (_, index) => parts[index * 2 + 2]).join(' ');
  return { words, rest: parts.slice(count * 2 + 1).join('\r\n') };
}

function link(server: Play, options: Partial<ConstructorParameters<typeof Link>[0]> = {}): Link {
  const made = new Link({ endpoint: server.endpoint, ...options });
  open.push(made);
  return made;
}

const echo = (words: string) => `+${words}\r\n`;

describe('answers', () => {
  test('come to the commands in their order, also those sent in one write', async () => {
    const server = await play(echo);
    const to = link(server);
    expect(await Promise.all([to.call(['GET', 'a']), to.call(['GET', 2])])).toEqual(['GET a', 'GET 2']);
    expect(await to.callAll([['A'], ['B', Buffer.from('c')]])).toEqual(['A', 'B c']);
  });

  test('as bytes where that is asked for', async () => {
    const server = await play(() => '$2\r\n\xff\xfe\r\n');
    const sent = Buffer.from([0xff, 0xfe]);
    expect(await link(server).call(['GET', 'k'], { raw: true })).toEqual(sent);
  });

  test('of an exchange, without those that only say QUEUED, as many as may', async () => {
    const said = [
      '+OK',
      ...Array(3).fill('+QUEUED'),
      '-ERR no',
      '+QUEUED',
      '*1\r\n+QUEUED',
      '+QUEUED',
      '',
    ].join('\r\n');
    const server = await play((_, socket) => {
      // In pieces, of which one ends within a reply.
      for (const piece of [said.slice(0, 20), said.slice(20)]) socket.write(piece);
      return undefined;
    });
    const [asked, how] = [[Buffer.from('*1\r\n$1\r\nA\r\n')], { queued: 4 }];
    const replies = await link(server).exchange(asked, 8, how);
    expect(replies).toEqual(['OK', expect.objectContaining({ text: 'ERR no' }), ['QUEUED'], 'QUEUED']);
  });

  test('an error is REDIS_REFUSED, with its kind, and the others are answered', async () => {
    const server = await play((words) => (words === 'B' ? '-LOADING wait\r\n' : '+OK\r\n'));
    const to = link(server);
    const [first, second, third] = await Promise.allSettled([to.call(['A']), to.call(['B']), to.call(['C'])]);
    expect([first.status, third.status]).toEqual(['fulfilled', 'fulfilled']);
    const reason = (second as PromiseRejectedResult).reason;
    expect(reason).toMatchObject({ code: 'REDIS_REFUSED' });
    expect(reason.message).toMatch(/answered B with: LOADING wait$/);
    expect(refusalKind(reason)).toBe('LOADING');
    await expect(to.callAll([['A'], ['B'], ['C']])).rejects.toMatchObject({ code: 'REDIS_REFUSED' });
    expect(to.closed).toBe(false);
  });
});

describe('the login', () => {
  const credentials = { username: 'agent', password: 'hunter2' };

  test('goes first; with RESP3 as a part of HELLO; one password without a name', async () => {
    const server = await play(() => '+OK\r\n');
    await link(server, { credentials }).call(['PING']);
    await link(server, { credentials, protocol: 3 }).ready;
    await link(server, { credentials: { username: '', password: 'p' } }).ready;
    expect(server.asked).toEqual(['AUTH agent hunter2', 'PING', 'HELLO 3 AUTH agent hunter2', 'AUTH p']);
  });

  test('that is refused fails every command with what was said, and shows no password', async () => {
    const server = await play((words) => (words.startsWith('AUTH') ? '-WRONGPASS no\r\n' : '+OK\r\n'));
    const to = link(server, { credentials });
    const answers = await Promise.allSettled([to.call(['GET', 'k']), to.ready]);
    for (const answer of answers) {
      const { reason } = answer as PromiseRejectedResult;
      expect(reason).toMatchObject({ code: 'REDIS_REFUSED' });
      expect(refusalKind(reason)).toBe('WRONGPASS');
      expect(reason.message).not.toContain('hunter2');
    }
    expect(to.endCode).toBe('WRONGPASS');
    const from = 'the file /run/old.password';
    await expect(link(server, { credentials: { ...credentials, from } }).ready).rejects.toMatchObject({
      message: expect.stringMatching(
        /WRONGPASS no \(as the user agent, with the password of the file \/run\/old\.password\)$/,
      ),
      hint: expect.stringContaining('write down the right one'),
    });
  });

  test('with a password where there is none says so', async () => {
    const says = 'ERR AUTH <password> called without any password configured for the default user.';
    const server = await play(() => `-${says}\r\n`);
    const given = { username: '', password: 'p', from: 'the file f' };
    await expect(link(server, { credentials: given }).ready).rejects.toMatchObject({
      hint: 'The default user has no password there: leave the password out.',
    });
  });
});

describe('no answer', () => {
  test('within its time ends the connection: a late answer belongs to nobody', async () => {
    const server = await play((words, socket) => {
      if (words === 'SLOW') setTimeout(() => socket.write('+late\r\n'), 60);
      return undefined;
    });
    const to = link(server, { timeoutMs: 5000 });
    const waiting = [to.call(['SLOW'], { timeoutMs: 30 }), to.call(['NEXT'])];
    for (const each of await Promise.allSettled(waiting)) {
      const { reason } = each as PromiseRejectedResult;
      expect(reason).toMatchObject({ code: 'REDIS_UNREACHABLE' });
      expect(reason.message).toContain('no answer within 30 ms');
    }
    expect(to.endCode).toBe('TIMEOUT');
    await expect(to.call(['LATER'])).rejects.toThrow('the connection is closed');
  });

  test('what was not answered in time is taken back: its connection is reset', async () => {
    const server = await play(() => undefined);
    const to = link(server, { timeoutMs: 30 });
    await to.ready;
    const socket = await waitFor(() => server.sockets[0], { what: 'the connection', withinMs: 10_000 });
    const failed = once(socket, 'error');
    await expect(to.call(['REPLICAOF', 'a', '1'])).rejects.toMatchObject({ code: 'REDIS_UNREACHABLE' });
    expect(await failed).toMatchObject([{ code: 'ECONNRESET' }]);
  });

  test('from a server that is not there, or that hangs up', async () => {
    const server = await play((words, socket) => {
      if (words === 'QUIT') socket.destroy();
      return undefined;
    });
    const to = link(server);
    await expect(to.call(['QUIT'])).rejects.toMatchObject({ code: 'REDIS_UNREACHABLE' });
    await to.ended;
    open.splice(0).forEach((each) => void each.close());
    const nobody = new Link({ endpoint: server.endpoint });
    await expect(nobody.ready).rejects.toThrow(/no connection to 127.0.0.1:\d+: connect ECONNREFUSED/);
    expect(nobody.endCode).toBe('ECONNREFUSED');
  });

  test('that makes sense: no RESP, more than the bound, or more than was asked for', async () => {
    const server = await play((words) => words.split(' ')[1]?.replaceAll('|', '\r\n'));
    const cases: [string, string][] = [
      ['HTTP/1.1|', 'not RESP'],
      ['$5000|', 'more than 100 bytes'],
      ['+OK|+OK|', 'nobody asked for'],
    ];
    for (const [bytes, text] of cases) {
      const reasons: string[] = [];
      const to = link(server, { maxReplyBytes: 100, onClosed: (reason) => reasons.push(reason) });
      const long = bytes.startsWith('$') ? `${bytes}${'x'.repeat(200)}` : bytes;
      await to.call(['SAY', long]).catch(() => {});
      await to.ended;
      expect(reasons.join()).toContain(text);
      expect(to.endCode).toBe('PROTOCOL');
    }
  });
});

test('pushes go to their listener; a confirmation answers the command that asked', async () => {
  const server = await play((words) => {
    if (words.startsWith('PSUBSCRIBE'))
      return '>4\r\n+pmessage\r\n+*\r\n+c\r\n+early\r\n>3\r\n+psubscribe\r\n+*\r\n:1\r\n';
    return '>4\r\n+pmessage\r\n+*\r\n+c\r\n+late\r\n+PONG\r\n';
  });
  const heard: unknown[] = [];
  const to = link(server, { protocol: 2, onPush: (items) => heard.push(items[3]) });
  expect(await to.call(['PSUBSCRIBE', '*'])).toEqual(['psubscribe', '*', 1]);
  expect(await to.call(['PING'])).toBe('PONG');
  expect(heard).toEqual(['early', 'late']);
});

describe('a connection that is asked again and again', () => {
  test('opens when it is used, again after it broke, and tells each end', async () => {
    const server = await play((words, socket) => {
      if (words === 'DIE') socket.destroy();
      return '+OK\r\n';
    });
    const connection = new RedisConnection({ endpoint: server.endpoint });
    open.push(connection);
    let ends = 0;
    connection.onClose(() => ends++);
    expect(await connection.call('PING')).toBe('OK');
    await expect(connection.call('DIE')).rejects.toMatchObject({ code: 'REDIS_UNREACHABLE' });
    expect(await connection.call('PING')).toBe('OK');
    expect(server.sockets.length).toBe(2);
    await waitFor(() => ends === 1, { what: 'the end to be told', withinMs: 2000 });
    connection.drop();
    await waitFor(() => ends === 2, { what: 'the end to be told', withinMs: 2000 });
    expect(await connection.call('PING')).toBe('OK');
    connection.close();
    await new Promise((resolve) => setImmediate(resolve));
    expect(ends).toBe(2);
  });

  test('hears messages, and asks on the same connection', async () => {
    const server = await play((words) => {
      if (words === 'HELLO 3') return '%1\r\n+proto\r\n:3\r\n';
      if (words === 'PSUBSCRIBE *') return '>3\r\n+psubscribe\r\n+*\r\n:1\r\n';
      return '>4\r\n+pmessage\r\n+*\r\n+chan\r\n+text\r\n+PONG\r\n';
    });
    const connection = new RedisConnection({ endpoint: server.endpoint });
    open.push(connection);
    const heard: string[] = [];
    await connection.subscribe('*', (channel, message) => heard.push(`${channel} ${message}`));
    expect(await connection.call('PING')).toBe('PONG');
    expect(heard).toEqual(['chan text']);
  });

  test('over a Unix socket', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-link-'));
    const socketPath = path.join(folder, 's');
    const server = createServer((socket) => socket.on('data', () => socket.write('+OK\r\n')));
    open.push(server);
    server.listen(socketPath);
    await once(server, 'listening');
    const connection = new RedisConnection({ endpoint: { path: socketPath } });
    open.push(connection);
    expect(await connection.call('PING')).toBe('OK');
    rmSync(folder, { recursive: true });
    connection.close();
    server.close();
    await once(server, 'close');
    await expect(new RedisConnection({ endpoint: { path: socketPath } }).call('PING')).rejects.toMatchObject({
      message: expect.stringContaining(socketPath),
    });
  });
});

test('a server whose socket somebody has removed is asked where it listens besides', async () => {
  const server = await play(() => '+PONG\r\n');
  const folder = mkdtempSync(path.join(tmpdir(), 'hf-link-'));
  open.push({ close: () => rmSync(folder, { recursive: true }) });
  const endpoint = { path: path.join(folder, 'sock'), otherwise: server.endpoint };
  expect(await link(server, { endpoint }).call(['PING'])).toBe('PONG');
  const inside = createServer((socket) => socket.end('-ERR by the socket\r\n'));
  open.push(inside);
  inside.listen(endpoint.path);
  await once(inside, 'listening');
  await expect(link(server, { endpoint }).call(['PING'])).rejects.toThrow('by the socket');
});
