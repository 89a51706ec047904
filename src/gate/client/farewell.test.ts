import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { pause } from '../../base/retry.ts';
import { endWith } from './farewell.ts';

/** More than the kernel takes for a reader that does not read. */
const bytes = 64 * 1024 * 1024;
const takeMs = 600;
const turns = 5;

interface Reader {
  socket: Socket;
  received: () => number;
}

async function goodbye(read: (reader: Reader) => Promise<void>): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.write(Buffer.alloc(bytes));
    endWith(socket, '', takeMs);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const reader = connect((server.address() as AddressInfo).port, '127.0.0.1');
  let received = 0;
  reader.on('data', (chunk) => {
    received += chunk.length;
  });
  reader.on('error', () => {});
  reader.pause();
  const closed = once(reader, 'close');
  await read({ socket: reader, received: () => received });
  await closed;
  server.close();
  return received;
}

test('who takes its last replies slowly gets all of them', async () => {
  const slowly = async ({ socket, received }: Reader) => {
    for (let turn = 1; turn < turns; turn++) {
      socket.resume();
      while (received() < (bytes / turns) * turn) await once(socket, 'data');
      socket.pause();
      await pause(takeMs / 3);
    }
    socket.resume();
  };
  expect(await goodbye(slowly)).toBe(bytes);
});

test('who takes nothing of them is closed', async () => {
  const later = async ({ socket }: Reader) => {
    await pause(takeMs * 2.5);
    socket.resume();
  };
  expect(await goodbye(later)).toBeLessThan(bytes);
});
