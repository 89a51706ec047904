import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import type { GateConfigInput } from '../../src/gate/config.ts';
import { childrenOf } from '../../src/process/stat.ts';
import { writeRequest } from '../../src/resp/write.ts';
import { makeCertificates } from '../support/certificates.ts';
import { type GateProcess, startGate } from '../support/gate-process.ts';
import { cleanUp, client, type Server, startRedis, tempFolder } from '../support/redis-processes.ts';
import { isWhole } from '../support/whole-run.ts';

/**
 * Clients that mean harm, at every kind of port: they cost neither more memory nor more time than they may, and others
 * are served. All of it in a whole run; else one kind of port is enough.
 */
const whole = isWhole;
const mib = 2 ** 20;
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
    const pid = gate.process.pid as number;
    const kib = [pid, ...childrenOf(pid)].map((each) =>
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
  });
});
