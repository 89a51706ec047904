import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, expect, test } from 'vitest';
import { HandleWriter } from './handle-writer.ts';
import { withSharedReads } from './shared-reads.ts';

const open: { destroy(): void }[] = [];
afterEach(() => {
  for (const each of open.splice(0)) each.destroy();
});

/** Both ends of a connection, of which the gate has one. */
async function ends(): Promise<{ gated: Socket; reader: Socket }> {
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const reader = connect(port, '127.0.0.1');
  const [accepted] = (await once(server, 'connection')) as [Socket];
  const gated = withSharedReads(accepted);
  gated.on('error', () => {});
  open.push(reader, gated, { destroy: () => server.close() });
  return { gated, reader };
}

const chunkBytes = 64 * 1024;
const chunks = 300;

test('what the kernel does not take at once comes whole, in order, and from memory that is kept for it', async () => {
  const { gated, reader } = await ends();
  let drained = 0;
  const writer = HandleWriter.of(gated, () => drained++) as HandleWriter;
  reader.pause();
  for (let index = 0; index < chunks; index++) {
    writer.writeBytes(Buffer.allocUnsafeSlow(chunkBytes).fill(index));
    writer.writeText(`|${index}|`);
  }
  expect(writer.unread).toBeGreaterThan(0);
  expect(drained).toBe(0);
  // Whatever nobody keeps is gone now, and its memory is somebody else's.
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  Array.from({ length: chunks }, () => Buffer.alloc(chunkBytes, 'z'));
  gated.destroySoon();
  const parts: Buffer[] = [];
  for await (const part of reader) parts.push(part as Buffer);
  const wanted = Array.from({ length: chunks }, (_, index) => [
    Buffer.alloc(chunkBytes, index),
    Buffer.from(`|${index}|`),
  ]);
  expect(Buffer.concat(parts).equals(Buffer.concat(wanted.flat()))).toBe(true);
  expect(writer.unread).toBe(0);
  expect(drained).toBe(1);
});

test('what the kernel takes at once is no longer unread, and a client that is gone ends the socket', async () => {
  const { gated, reader } = await ends();
  const writer = HandleWriter.of(gated, () => {}) as HandleWriter;
  writer.writeText('+OK\r\n');
  expect(writer.unread).toBe(0);
  expect(String((await once(reader, 'data'))[0])).toBe('+OK\r\n');
  const closed = once(gated, 'close');
  gated.destroy();
  writer.writeText('+OK\r\n');
  await closed;
  expect(writer.unread).toBe(0);
});
