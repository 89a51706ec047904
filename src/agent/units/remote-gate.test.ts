import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { RemoteGate } from './remote-gate.ts';

let server: Server | undefined;
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await new Promise((resolve) => (server?.listening ? server.close(resolve) : resolve(null)));
});

/** What an agent of another host sees of a gate that does this with what it is asked. */
async function seenOf(answers: ((socket: Socket) => void) | null) {
  server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.on('data', () => answers?.(socket));
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  if (answers === null) await new Promise((resolve) => server?.close(resolve));
  const place = { id: 'gate-2', host: 'b', address: '127.0.0.1', port, replicaPort: null };
  const gate = new RemoteGate(place as ConstructorParameters<typeof RemoteGate>[0], undefined);
  await gate.look();
  return gate.seen;
}

test('a gate of another host is open when it answers, whatever it says', async () => {
  expect(await seenOf((socket) => socket.end('+OK\r\n'))).toMatchObject({ state: 'open' });
  await new Promise((resolve) => server?.close(resolve));
  expect(await seenOf((socket) => socket.end('-NOAUTH no\r\n'))).toMatchObject({ state: 'open' });
});

test('one that takes connections and is silent is not said to be gone, and one where nobody listens is', async () => {
  const silent = await seenOf(() => {});
  expect(silent).toMatchObject({ state: 'down', reason: expect.stringContaining('takes connections') });
  for (const socket of sockets.splice(0)) socket.destroy();
  await new Promise((resolve) => server?.close(resolve));
  expect(await seenOf(null)).toEqual({ state: 'down', clients: 0 });
});
