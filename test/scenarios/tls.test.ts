/** A deployment with TLS everywhere: brought up, failed over, moved, looked at and stopped. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { type RequestOptions, request } from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeCertificates } from '../support/certificates.ts';
import { TestDeployment } from '../support/deployment.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'hf-tls-'));
const files = makeCertificates(folder);
const tls = { ca: readFileSync(files.ca), servername: 'localhost' };
let deployment: TestDeployment;

beforeAll(async () => {
  deployment = await TestDeployment.up({
    gate: { inflightWrites: 'retry-idempotent' },
    security: { tls: { ...files } },
    agent: { tls: { ...files } },
    backup: { to: pathToFileURL(path.join(folder, 'backups')).href, schedule: '0 0 29 2 *', verify: 'never' },
  });
  await deployment.waitUntilHealthy();
});
afterAll(async () => {
  await deployment?.destroy();
  rmSync(folder, { recursive: true, force: true });
});

test('a client that speaks TLS keeps its connection through a crash and a switchover', async () => {
  const client = deployment.client(deployment.ports.gate, { tls });
  await client.set('before', '1');
  process.kill((await deployment.primary()).pid as number, 'SIGKILL');
  expect(await client.set('after the crash', '2')).toBe('OK');
  await deployment.waitUntilHealthy();
  const moved = await deployment.run('switchover');
  expect(moved.stderr + moved.stdout).toContain('writes waited');
  expect(moved.status).toBe(0);
  expect(await client.mget('before', 'after the crash')).toEqual(['1', '2']);
});

test('who speaks no TLS is turned away, at the gate and at a member', async () => {
  for (const port of [deployment.ports.gate, deployment.ports.members]) {
    await expect(deployment.client(port).ping()).rejects.toThrow();
  }
});

test('the API is HTTPS and nothing else, and its cookie is never sent without', async () => {
  const ask = (options: RequestOptions, body = '') =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const where = { host: '127.0.0.1', port: deployment.ports.api, path: '/api/session' };
      const call = request({ ...where, agent: false, ca: tls.ca, ...options }, resolve);
      call.on('error', reject).end(body);
    });
  const looked = await ask({ path: '/api/view' });
  looked.resume();
  expect(looked.statusCode).toBe(200);
  const token = readFileSync(path.join(deployment.stateDir, 'api-token'), 'utf8').trim();
  const headers = { 'content-type': 'application/json' };
  const login = await ask({ method: 'POST', headers }, JSON.stringify({ token }));
  login.resume();
  expect(login.headers['set-cookie']?.[0]).toMatch(/; HttpOnly; SameSite=Strict; Secure$/);
  await expect(ask({ ca: [] })).rejects.toThrow();
  await expect(fetch(`http://127.0.0.1:${deployment.ports.api}/livez`)).rejects.toThrow();
});

test('the doctor reaches every server', async () => {
  const { results } = await deployment.json<{ results: { id: string; severity: string }[] }>('doctor');
  const reachable = results.filter(({ id }) => id === 'reachable').map(({ severity }) => severity);
  expect(new Set(reachable)).toEqual(new Set(['ok']));
});

test('what it backs up comes back', async () => {
  await deployment.waitForFirstBackup();
  const client = deployment.client(deployment.ports.gate, { tls });
  await client.set('kept', 'safe');
  const { id } = await deployment.json<{ id: string }>('backup', ['now']);
  await client.flushall();
  const restored = await deployment.run('restore', [id]);
  expect(restored.stderr).not.toContain('error');
  expect(restored.status).toBe(0);
  expect(await client.get('kept')).toBe('safe');
  await client.set('kept', 'changed');
  const some = await deployment.run('restore', [id], ['--match', 'kept', '--replace']);
  expect(some.stderr).not.toContain('error');
  expect(await client.get('kept')).toBe('safe');
});
