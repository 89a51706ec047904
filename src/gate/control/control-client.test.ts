import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { GateControl } from './control-client.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'hf-control-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a connection is used again, and one that the gate closes in that moment costs nobody an error', async () => {
  const socketPath = path.join(folder, 'gate.sock');
  let connections = 0;
  const server = createServer((_request, response) => response.end('{"released":true}'));
  server.on('connection', (socket) => {
    connections += 1;
    // The third question comes on a connection that is being closed.
    let questions = 0;
    socket.prependListener('data', () => {
      questions += 1;
      if (questions === 3) socket.destroy();
    });
  });
  server.listen(socketPath);
  await once(server, 'listening');
  const control = new GateControl(socketPath);
  for (let calls = 1; calls <= 4; calls++) expect(await control.release()).toEqual({ released: true });
  // The first, the one in its place, and one to be kept again.
  expect(connections).toBe(3);
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});
