import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { GateControl } from './control-client.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'hf-control-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('each call has a connection of its own: one that was used before may be closed in that moment', async () => {
  const socketPath = path.join(folder, 'gate.sock');
  let connections = 0;
  const server = createServer((_request, response) => response.end('{"released":true}'));
  server.on('connection', () => connections++);
  server.listen(socketPath);
  await once(server, 'listening');
  const control = new GateControl(socketPath);
  for (let calls = 1; calls <= 3; calls++) {
    expect(await control.release()).toEqual({ released: true });
    expect(connections).toBe(calls);
  }
  server.close();
  await once(server, 'close');
});
