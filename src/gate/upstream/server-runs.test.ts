import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { isKnownRun, ServerRuns } from './server-runs.ts';

/** Takes every connection, as a proxy does; the first is closed when something is asked on it. */
async function lateServer(): Promise<{ port: number; close(): void }> {
  let connections = 0;
  const server = createServer((socket) => {
    const isFirst = ++connections === 1;
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      if (isFirst) socket.destroy();
      else if (chunk.includes('INFO')) {
        const text = 'redis_version:7.0.15\r\nrun_id:abc\r\n';
        socket.write(`$${text.length}\r\n${text}\r\n`);
      } else socket.write('+OK\r\n');
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

test('who shares a question that nobody answered has it asked again, once for all', async () => {
  const server = await lateServer();
  const member = { id: 'redis-1', address: '127.0.0.1', port: server.port };
  const runs = new ServerRuns({ memberCredentials: null, predecessor: null, tls: null });
  const [first, second, third] = await Promise.all([1, 2, 3].map(() => runs.nameOf(member)));
  server.close();
  expect(isKnownRun(first as string)).toBe(false);
  expect([second, third]).toEqual(['abc', 'abc']);
  expect(await runs.nameOf(member)).toBe('abc');
});
