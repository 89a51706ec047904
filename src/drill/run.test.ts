import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { readAll } from './run.ts';
import type { Stage } from './stage.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** Answers whatever it is asked with these bytes. */
async function answering(bytes: string) {
  const server = createServer((socket) => socket.on('data', () => socket.write(bytes)).on('error', () => {}));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { endpoint: { host: '127.0.0.1', port: (server.address() as AddressInfo).port } };
}

test('a drill that is interrupted while it compares has found nothing', async () => {
  const places: Record<string, unknown> = {
    'redis-1': await answering('$1\r\na\r\n'),
    'redis-2': await answering('$1\r\nb\r\n'),
  };
  const aborter = new AbortController();
  let asked = 0;
  const direct = (member: string) => {
    if (member === 'redis-2' && ++asked === 2) aborter.abort(new Error('interrupted'));
    return places[member];
  };
  const stage = {
    signal: aborter.signal,
    members: async () => Object.keys(places),
    ledger: { writes: [], fleeting: new Set(['passing']) },
    testbed: { primary: async () => 'redis-1', direct },
  };
  await expect(readAll(stage as unknown as Stage, null)).rejects.toThrow('interrupted');
});
