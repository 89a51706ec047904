import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RemoteGate } from '../../src/agent/units/remote-gate.ts';
import { waitFor } from '../../src/base/retry.ts';
import type { GatePlace } from '../../src/spec/spec.ts';
import { makeCertificates } from '../support/certificates.ts';
import { type GateProcess, startGate } from '../support/gate-process.ts';
import { untilKnownToWait } from '../support/known-to-wait.ts';
import { RawClient } from '../support/raw-client.ts';
import { cleanUp, client, kill9, type Server, startRedis, tempFolder } from '../support/redis-processes.ts';

/** How connections end: as with a server, whole, and with the answers that are due. */
let direct: Server;
let behind: Server;
let gate: GateProcess;

beforeAll(async () => {
  direct = await startRedis();
  behind = await startRedis();
  gate = await startGate({ members: [{ id: 'redis-1', address: '127.0.0.1', port: behind.port }] });
});
afterAll(cleanUp);

const clientsNow = async () => (await gate.control.status()).clients;

/** Sends everything and FIN, and returns what comes until the other side closes. */
async function halfClosed(port: number, text: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk.toString('latin1');
  });
  socket.end(text);
  await once(socket, 'close');
  return answer;
}

test('who closes its side behind its requests gets their answers', async () => {
  const words = 'SET half 1\r\nINCR half\r\nMULTI\r\nINCR half\r\nEXEC\r\nSELECT 3\r\nGET half\r\nPING\r\n';
  for (const text of [words, 'PING\r\nGET', 'SUBSCRIBE a\r\n', 'PING\r\nBLPOP none 0\r\n']) {
    expect(await halfClosed(gate.port, text), text).toBe(await halfClosed(direct.port, text));
  }
  await waitFor(async () => (await clientsNow()) === 0, { what: 'the clients to be gone', withinMs: 60_000 });
});

test('also when its FIN comes in the middle of a long request that the gate keeps', async () => {
  const slow = 'EVAL "for i = 1, 30000000 do end return 7" 0\r\n';
  const long = `${slow}*100\r\n$9\r\nSUBSCRIBE\r\n$8000000\r\n${'c'.repeat(3 * 2 ** 20)}`;
  for (const { port } of [gate, direct]) expect(await halfClosed(port, long)).toBe(':7\r\n');
  await waitFor(async () => (await clientsNow()) === 0, { what: 'the clients to be gone', withinMs: 60_000 });
});

test('also when its FIN comes while its last requests wait for their turn', async () => {
  const many = `${'GET half\r\n'.repeat(5000)}PING\r\n`;
  const texts = ['AUTH nobody wrong\r\nPING\r\n', 'SELECT 3\r\nGET half\r\nGE', many, `HELLO 3\r\n${many}`];
  const rid = (text: string) => text.replace(/\$2\r\nid\r\n:\d+/, '');
  for (const text of texts) {
    expect(rid(await halfClosed(gate.port, text)), text.slice(0, 40)).toBe(
      rid(await halfClosed(direct.port, text)),
    );
  }
  await waitFor(async () => (await clientsNow()) === 0, { what: 'the clients to be gone', withinMs: 60_000 });
});

test('a look from another host’s agent is no request and no error in the figures', async () => {
  const figures = async () => {
    const { counters, errors, latency, commands } = await gate.control.status();
    return { commands: counters.commands, errors, latency, quits: commands['quit'] };
  };
  const before = await figures();
  const place = { id: 'gate-1', host: 'a', address: '127.0.0.1', port: gate.port, replicaPort: null };
  const remote = new RemoteGate(place as unknown as GatePlace, undefined);
  await remote.look();
  expect(remote.seen.state).toBe('open');
  await waitFor(async () => (await clientsNow()) === 0, { what: 'the look to be over', withinMs: 60_000 });
  expect(await figures()).toEqual(before);
});

test('who kills itself is closed', async () => {
  for (const line of ['CLIENT KILL TYPE normal SKIPME no', 'CLIENT KILL ID % SKIPME no']) {
    const raw = await RawClient.open(gate.port);
    const id = (await raw.ask('CLIENT ID')).slice(1, -2);
    expect(await raw.ask(line.replace('%', id))).toBe(':1\r\n');
    await waitFor(() => raw.closed, { what: 'the gate to close', withinMs: 60_000 });
  }
});

test('after QUIT and after a protocol error nothing more is read, and the place is free', async () => {
  for (const last of ['QUIT\r\n', '*1\r\n$x\r\n']) {
    const socket: Socket = connect({ port: gate.port, host: '127.0.0.1', allowHalfOpen: true });
    socket.on('error', () => {});
    socket.on('data', () => {});
    const before = (await gate.control.status()).counters.bytesIn;
    socket.write(last);
    const flood = Buffer.alloc(2 ** 20, 'x');
    const closed = new Promise((resolve) => socket.on('close', resolve));
    for (let index = 0; index < 30 && !socket.destroyed; index++) socket.write(flood);
    await closed;
    expect((await gate.control.status()).counters.bytesIn - before).toBeLessThan(4 * 2 ** 20);
    await waitFor(async () => (await clientsNow()) === 0, {
      what: 'the client to be gone',
      withinMs: 60_000,
    });
  }
});

test('handshakes that never end take no place of a client, and are cut', async () => {
  const { cert, key, ca } = makeCertificates(tempFolder());
  const secured = await startGate({
    members: [{ id: 'redis-1', address: '127.0.0.1', port: behind.port }],
    tls: { cert, key },
    limits: { clients: 3 },
  });
  const silent = [1, 2].map(() => connect(secured.port, '127.0.0.1'));
  await Promise.all(silent.map((socket) => once(socket, 'connect')));
  const options = { tls: { ca: readFileSync(ca) } };
  const redis = [1, 2, 3].map(() => client(secured.port, options));
  const before = performance.now();
  for (const each of redis.slice(0, 1)) expect(await each.ping()).toBe('PONG');
  await Promise.all(silent.map((socket) => once(socket, 'close')));
  expect(performance.now() - before).toBeLessThan(9000);
  for (const each of redis) expect(await each.ping()).toBe('PONG');
});

test('one error ends a client whose session is refused while a request of it waits', async () => {
  const admin = client(behind.port);
  await admin.call('ACL', 'SETUSER', 'passing', 'on', '>passing-pw', '~*', '&*', '+@all');
  const before = Number(/total_connections_received:(\d+)/.exec(await admin.info('stats'))?.[1]);
  const raw = await RawClient.open(gate.port);
  await raw.ask('AUTH passing passing-pw');
  expect(await raw.ask('BLPOP nothing 0.01')).toBe('*-1\r\n');
  await admin.config('RESETSTAT');
  raw.send('BLPOP nothing 0');
  // What is not known to wait is not sent again.
  await untilKnownToWait(gate, behind);
  await admin.call('ACL', 'DELUSER', 'passing');
  expect(await raw.reply()).toMatch(/^-WRONGPASS/);
  expect(await raw.reply()).toBe('(closed)');
  const after = Number(/total_connections_received:(\d+)/.exec(await admin.info('stats'))?.[1]);
  expect(after - before).toBeLessThan(20);
});

test('a failover to a member that does not know a user tells each of its clients so once; others go on', async () => {
  const first = await startRedis();
  const second = await startRedis(['--replicaof', `127.0.0.1 ${first.port}`]);
  const members = [first, second].map(({ port }) => ({ id: `redis-${port}`, address: '127.0.0.1', port }));
  const before = await startGate({ members });
  const next = client(second.port);
  // Replication does not carry users over.
  await client(first.port).call('ACL', 'SETUSER', 'passing', 'on', '>passing-pw', '~*', '&*', '+@all');
  const states = {
    'asks while there is no primary': [],
    'asks later': [],
    'waits for an element': ['BLPOP nothing 0'],
    subscribes: ['SUBSCRIBE news'],
    'is in a transaction': ['MULTI', 'GET k'],
    watches: ['WATCH k'],
  };
  const clients = new Map<string, RawClient>();
  for (const [state, lines] of Object.entries(states)) {
    const raw = await RawClient.open(before.port);
    clients.set(state, raw);
    expect(await raw.ask('AUTH passing passing-pw')).toBe('+OK\r\n');
    expect(await raw.ask('GET k')).toBe('$-1\r\n');
    for (const line of lines.filter((each) => !each.startsWith('BLPOP'))) await raw.ask(line);
    for (const line of lines.filter((each) => each.startsWith('BLPOP'))) raw.send(line);
  }
  const other = await RawClient.open(before.port);
  expect(await other.ask('SET k 1')).toBe('+OK\r\n');
  await untilKnownToWait(before, first);
  const linked = async () => /master_link_status:up/.test(await next.info('replication'));
  await waitFor(linked, { what: 'the replica to be linked', withinMs: 60_000 });
  await kill9(first.process);
  const waiting = ['asks while there is no primary', 'is in a transaction', 'watches'];
  for (const state of waiting) clients.get(state)?.send('GET k');
  await next.call('REPLICAOF', 'NO', 'ONE');
  await next.config('RESETSTAT');
  await before.control.switch({ address: '127.0.0.1', port: second.port });
  clients.get('asks later')?.send('GET k');
  for (const [state, raw] of clients) {
    expect(await raw.reply(state), state).toMatch(/^-WRONGPASS/);
    expect(await raw.reply(state), state).toBe('(closed)');
  }
  expect(await other.ask('INCR fresh')).toBe(':1\r\n');
  const received = Number(/total_connections_received:(\d+)/.exec(await next.info('stats'))?.[1]);
  expect(received).toBeLessThan(30);
  const closed = (await before.control.status()).closed.session;
  expect(closed).toBe(clients.size);
  other.close();
});

test('a confirmation comes also when the client wants no replies', async () => {
  const talk = async (port: number) => {
    const raw = await RawClient.open(port);
    await raw.ask('HELLO 3');
    const told: string[] = [];
    for (const line of ['CLIENT REPLY OFF', 'SET k 1', 'SUBSCRIBE a', 'CLIENT REPLY ON']) raw.send(line);
    told.push(await raw.reply(), await raw.reply());
    for (const line of ['CLIENT REPLY SKIP', 'UNSUBSCRIBE a', 'PING']) raw.send(line);
    told.push(await raw.reply(), await raw.reply());
    raw.close();
    return told;
  };
  expect(await talk(gate.port)).toEqual(await talk(direct.port));
});

test('CLIENT REPLY is refused to a subscriber, as by a server', async () => {
  const talk = async (port: number) => {
    const raw = await RawClient.open(port);
    const told: string[] = [];
    for (const line of [
      'SUBSCRIBE a',
      'CLIENT REPLY OFF',
      'CLIENT REPLY SKIP',
      'CLIENT REPLY wrong',
      'PING',
    ]) {
      told.push(await raw.ask(line));
    }
    for (const line of ['UNSUBSCRIBE a', 'CLIENT REPLY ON', 'PING']) told.push(await raw.ask(line));
    raw.close();
    return told;
  };
  expect(await talk(gate.port)).toEqual(await talk(direct.port));
});

test('CLIENT LIST and KILL answer as a server does', async () => {
  const lines = [
    'CLIENT LIST TYPE pubsub',
    'CLIENT LIST TYPE wrong',
    'CLIENT LIST wrong',
    'CLIENT LIST ID x',
    'CLIENT KILL',
    'CLIENT KILL 1.2.3.4:5',
    'CLIENT KILL TYPE wrong',
    'CLIENT KILL USER nosuch',
    'CLIENT KILL ID 0',
    'CLIENT KILL ID x',
    'CLIENT KILL SKIPME',
    'CLIENT KILL USER default USER nosuch',
    'CLIENT KILL TYPE normal TYPE pubsub USER default',
    'CLIENT KILL TYPE normal SKIPME',
    'CLIENT KILL ADDR 1.2.3.4:5 SKIPME maybe',
  ];
  const [gated, plain] = [await RawClient.open(gate.port), await RawClient.open(direct.port)];
  for (const line of lines) expect(await gated.ask(line), line).toBe(await plain.ask(line));
  const blocked = await RawClient.open(gate.port);
  blocked.send('BLPOP nothing 0');
  const flagged = async () => /flags=b /.test(await gated.ask('CLIENT LIST'));
  await waitFor(flagged, { what: 'the blocked client to be shown as blocked', withinMs: 60_000 });
  for (const raw of [gated, plain, blocked]) raw.close();
});

test('a server that takes no more connections says so to who needs one, once; others go on', async () => {
  const full = await startRedis(['--maxclients', '20']);
  const before = await startGate({ members: [{ id: 'redis-1', address: '127.0.0.1', port: full.port }] });
  const other = await RawClient.open(before.port);
  expect(await other.ask('SET k 1')).toBe('+OK\r\n');
  const admin = client(full.port);
  await admin.ping();
  const raws: RawClient[] = [];
  let refused = 0;
  for (let index = 0; index < 40; index++) {
    const raw = await RawClient.open(before.port);
    raws.push(raw);
    const told = await raw.ask('WATCH k');
    if (told === '+OK\r\n') continue;
    expect(told).toBe('-ERR max number of clients reached\r\n');
    expect(await raw.reply()).toBe('(closed)');
    refused++;
    expect(await other.ask('GET k')).toBe('$1\r\n1\r\n');
  }
  expect(refused).toBeGreaterThan(15);
  const rejected = /rejected_connections:(\d+)/.exec(await admin.info('stats'))?.[1];
  expect(Number(rejected)).toBeLessThan(150);
  for (const each of [...raws, other]) each.close();
});
