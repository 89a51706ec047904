import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import type { GateConfigInput } from '../../src/gate/config.ts';
import { writeRequest } from '../../src/resp/write.ts';
import { makeCertificates } from '../support/certificates.ts';
import { type GateProcess, startGate } from '../support/gate-process.ts';
import { cleanUp, client, type Server, startRedis, tempFolder } from '../support/redis-processes.ts';

/**
 * Clients that mean harm, at every kind of port: they cost neither more memory nor more time than they may, and others
 * are served. Minutes: HOLDFAST_HOSTILE=whole; else what is over in seconds, at one of them.
 */
const whole = process.env['HOLDFAST_HOSTILE'] === 'whole';
const mib = 2 ** 20;
/** Others wait so long at most, on a machine that has other work too. */
const othersMs = 3000;
const password = 'secret';
const credentials = { username: 'default', password };

let home: Server;
let elsewhere: Server;
let certificates: ReturnType<typeof makeCertificates>;
beforeAll(async () => {
  [home, elsewhere] = await Promise.all([
    startRedis(['--requirepass', password]),
    startRedis(['--requirepass', password]),
  ]);
  certificates = makeCertificates(tempFolder());
});
afterAll(cleanUp);

const at = ({ port }: Server) => ({ address: '127.0.0.1', port });
const kinds: [string, () => Partial<GateConfigInput>][] = [
  ['with TLS', () => ({ tls: { cert: certificates.cert, key: certificates.key } })],
  ['two workers', () => ({ workers: 2 })],
  [
    'with routes',
    () => ({
      routes: [{ id: 'other', prefixes: ['other:'], members: [{ id: 'elsewhere', ...at(elsewhere) }] }],
    }),
  ],
  [
    'with mirrors of requests',
    () => ({
      mirrors: [{ id: 'copy', ...at(elsewhere), copies: 'all' as const, queueBytes: 4 * mib, credentials }],
    }),
  ],
];

describe.each(whole ? kinds : kinds.slice(0, 1))('a gate %s', (_kind, more) => {
  let gate: GateProcess;
  let encrypts: boolean;
  beforeAll(async () => {
    const config = more();
    encrypts = config.tls !== undefined;
    gate = await startGate({
      members: [{ id: 'home', ...at(home) }],
      memberCredentials: credentials,
      limits: { totalBytes: 64 * mib, replyBytes: 8 * mib, clients: 400, unauthenticatedMs: 2000 },
      ...config,
    });
    const others = other();
    await others.set('two-kb', 'v'.repeat(2048));
    await others.set('other:two-kb', 'v'.repeat(2048));
  });
  afterAll(() => {
    gate?.process.kill('SIGKILL');
  });

  const other = () =>
    client(gate.port, { password, ...(encrypts ? { tls: { rejectUnauthorized: false } } : {}) });

  /** The most that the gate and its workers ever had, in bytes. */
  function most(): number {
    const { pid } = gate.process;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
    const kib = [`${pid}`, ...children].map((each) =>
      Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${each}/status`, 'utf8'))?.[1]),
    );
    return kib.reduce((sum, each) => sum + each, 0) * 1024;
  }

  /** A connection that is accepted, and speaks TLS where the port does; authenticated unless it is not to be. */
  async function open(authenticates = true): Promise<Socket> {
    const where = { port: gate.port, host: '127.0.0.1' };
    const socket = encrypts ? connectTls({ ...where, rejectUnauthorized: false }) : connect(where);
    socket.on('error', () => {});
    await once(socket, encrypts ? 'secureConnect' : 'connect');
    if (!authenticates) return socket;
    socket.write(writeRequest(['AUTH', password]));
    await once(socket, 'data');
    return socket;
  }

  /** Resolves when the kernel took the bytes, or the connection is gone. */
  function write(socket: Socket, bytes: Buffer): Promise<void> {
    return new Promise((resolve) => {
      if (socket.destroyed) return resolve();
      socket.once('close', resolve);
      socket.write(bytes, () => {
        socket.off('close', resolve);
        resolve();
      });
    });
  }

  /** Does something while somebody else asks, again and again; the longest that took, ms. */
  async function meanwhile(act: () => Promise<void>): Promise<number> {
    const others = other();
    await others.get('two-kb');
    let done = false;
    const acting = act().finally(() => {
      done = true;
    });
    let longest = 0;
    while (!done) {
      const start = performance.now();
      expect(await others.get('two-kb')).toHaveLength(2048);
      longest = Math.max(longest, performance.now() - start);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await acting;
    others.disconnect();
    return longest;
  }

  const gone = (socket: Socket, withinMs: number) =>
    waitFor(() => socket.destroyed, { what: 'the connection to end', withinMs });

  test.each([
    ['of a list', '*', '1'],
    ['of a list, of zeros', '*', '0'],
    ['of a value', '*2\r\n$3\r\nGET\r\n$', '1'],
    ['of a value, of zeros', '*2\r\n$3\r\nGET\r\n$', '0'],
    ['of the first value', '*1\r\n$', '0'],
    ['of a line', 'GET ', 'k'],
  ])('a length that never ends ends its client: %s', async (_what, begin, digit) => {
    const before = most();
    const socket = await open();
    let text = '';
    socket.on('data', (data) => {
      text += String(data);
    });
    await write(socket, Buffer.from(begin));
    const piece = Buffer.alloc(16 * 1024, digit);
    for (let sent = 0; sent < 4 * mib && !socket.destroyed; sent += piece.length) await write(socket, piece);
    await gone(socket, 5000);
    expect(text).toMatch(/^(-ERR Protocol error: [a-z ]+\r\n)?$/);
    expect(most() - before).toBeLessThan(32 * mib);
    expect(await other().get('two-kb')).toHaveLength(2048);
  });

  test('who never says who it is is closed in time, however busily it says something', async () => {
    const before = most();
    const sockets = await Promise.all(Array.from({ length: 50 }, () => open(false)));
    const begun = performance.now();
    const request = Buffer.from(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$10000\r\n${'v'.repeat(10_000)}`);
    let at = 0;
    const drip = setInterval(() => {
      for (const socket of sockets) if (!socket.destroyed) socket.write(request.subarray(at, at + 1));
      at++;
    }, 50);
    for (const socket of sockets) {
      socket.resume();
      await gone(socket, 10_000);
    }
    clearInterval(drip);
    expect(performance.now() - begun).toBeGreaterThan(1500);
    expect(most() - before).toBeLessThan(32 * mib);
  }, 30_000);

  test.runIf(whole)(
    'requests that come byte by byte cost next to nothing, and make nobody wait',
    async () => {
      const sockets = await Promise.all(Array.from({ length: 300 }, () => open()));
      const before = most();
      const request = Buffer.from(`*3\r\n$3\r\nSET\r\n$4\r\nslow\r\n$100\r\n${'v'.repeat(100)}\r\n`);
      const longest = await meanwhile(async () => {
        for (const byte of request) {
          for (const socket of sockets) await write(socket, Buffer.from([byte]));
        }
        for (const socket of sockets) expect(String((await once(socket, 'data'))[0])).toBe('+OK\r\n');
      });
      expect(longest).toBeLessThan(othersMs);
      expect(most() - before).toBeLessThan(32 * mib);
      for (const socket of sockets) socket.destroy();
    },
    60_000,
  );

  test.runIf(whole).each([
    ['of one server', ['two-kb']],
    ['of two routes in turn', ['two-kb', 'other:two-kb']],
  ])(
    'who pipelines 36 MB of GETs and reads nothing is given up, and makes nobody wait: %s',
    async (_what, keys) => {
      const before = most();
      const closedBefore = (await gate.control.status()).closed['slow-reader'];
      const greedy = await open();
      greedy.pause();
      const batch = Buffer.concat(
        Array.from({ length: 1000 }, (_, index) =>
          writeRequest(['GET', keys[index % keys.length] as string]),
        ),
      );
      const isClosed = async () => (await gate.control.status()).closed['slow-reader'] > closedBefore;
      const longest = await meanwhile(async () => {
        const writing = (async () => {
          for (let sent = 0; sent < 36 * mib && !greedy.destroyed; sent += batch.length)
            await write(greedy, batch);
        })();
        await waitFor(isClosed, { what: 'the gate to give it up', withinMs: 60_000, everyMs: 50 });
        greedy.destroy();
        await writing;
      });
      expect(longest).toBeLessThan(othersMs);
      expect(most() - before).toBeLessThan(150 * mib);
    },
    90_000,
  );

  test.runIf(whole).each([
    ['of one value', `*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$${512 * mib}\r\n`, Buffer.alloc(64 * 1024, 'v')],
    ['of values without end', '*2147483647\r\n$3\r\nDEL\r\n', Buffer.from('$1\r\nk\r\n'.repeat(8192))],
    ['of names to watch', '*2147483647\r\n$5\r\nWATCH\r\n', Buffer.from('$1\r\nk\r\n'.repeat(8192))],
    [
      'of values of two routes',
      '*2147483647\r\n$4\r\nMGET\r\n',
      Buffer.from('$1\r\nk\r\n$7\r\nother:k\r\n'.repeat(4096)),
    ],
  ])(
    'requests that never end stay within the bound, and make nobody wait: %s',
    async (_what, begin, piece) => {
      const before = most();
      const sockets = await Promise.all(Array.from({ length: 20 }, () => open()));
      const longest = await meanwhile(async () => {
        for (const socket of sockets) await write(socket, Buffer.from(begin));
        for (let sent = 0; sent < 8 * mib; sent += piece.length) {
          for (const socket of sockets) await Promise.race([write(socket, piece), stuck()]);
        }
      });
      for (const socket of sockets) socket.destroy();
      expect(longest).toBeLessThan(othersMs);
      expect(most() - before).toBeLessThan((64 + 100) * mib);
    },
    90_000,
  );

  /** Nobody reads it: that is an answer too. */
  const stuck = () => new Promise<void>((resolve) => setTimeout(resolve, 250).unref());

  test.runIf(whole)(
    'handshakes that are only begun end in time, and cost no more than clients do',
    async () => {
      if (!encrypts) return;
      const before = most();
      const begun = performance.now();
      // The beginning of a ClientHello of 512 bytes, or not even that.
      const hello = Buffer.from([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3, ...Array(200).fill(7)]);
      const sockets = Array.from({ length: 390 }, (_, index) => {
        const socket = connect(gate.port, '127.0.0.1').on('error', () => {});
        socket.write(hello.subarray(0, index % hello.length));
        return socket.resume();
      });
      const longest = await meanwhile(async () => {
        for (const socket of sockets) await gone(socket, 15_000);
      });
      expect(performance.now() - begun).toBeGreaterThan(4000);
      expect(longest).toBeLessThan(othersMs);
      expect(most() - before).toBeLessThan(64 * mib);
      expect((await gate.control.status()).clients).toBeLessThan(10);
    },
    60_000,
  );
});
