import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { freePorts } from '../../src/process/free-ports.ts';
import { renderHaproxyCfg } from '../../src/render/haproxy-cfg.ts';
import { parseSpec } from '../../src/spec/parse.ts';
import { deriveSecrets } from '../../src/spec/secrets.ts';
import type { GatePlace, Member } from '../../src/spec/spec.ts';
import { makeCertificates } from '../support/certificates.ts';
import { RenderedServers } from '../support/rendered-servers.ts';

let folder = '';
let servers: RenderedServers | undefined;
let haproxy: ChildProcess | undefined;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'holdfast-tls-'));
});
afterEach(async () => {
  haproxy?.kill('SIGKILL');
  await servers?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('with TLS, replication, Sentinels, HAProxy’s checks and clients all use it, and plain text finds no one', async () => {
  const tls = makeCertificates(folder);
  const port = await freePorts(9);
  const spec = parseSpec(
    `name: t\nredis: { port: ${port} }\nsentinel: { port: ${port + 3} }\nagent: { port: ${port + 8} }\n` +
      `gate: { kind: haproxy, port: ${port + 6}, statsPort: none }\n` +
      `security: { tls: { cert: ${tls.cert}, key: ${tls.key}, ca: ${tls.ca} } }`,
    't.yaml',
  );
  const secrets = deriveSecrets(spec, 's', {});
  servers = new RenderedServers(spec, secrets);
  const first = spec.members[0] as Member;
  for (const member of spec.members) servers.startMember(member, member === first ? null : first);
  for (const sentinel of spec.sentinels) servers.startSentinel(sentinel, first);
  const config = path.join(folder, 'haproxy.cfg');
  const gate = spec.gates[0] as GatePlace;
  writeFileSync(config, renderHaproxyCfg({ spec, gate, secrets, adminSocket: path.join(folder, 'admin') }));
  haproxy = spawn('haproxy', ['-f', config], { stdio: 'ignore' });

  const ask = async <T>(at: number, question: (client: Redis) => Promise<T>): Promise<T> => {
    const options = { lazyConnect: true, retryStrategy: () => null, enableReadyCheck: false };
    const client = new Redis({ port: at, host: '127.0.0.1', tls: { ca: readFileSync(tls.ca) }, ...options });
    client.on('error', () => {});
    try {
      await client.connect();
      return await question(client);
    } finally {
      client.disconnect();
    }
  };
  await waitFor(
    () =>
      ask(first.port, async (client) => (await client.info('replication')).includes('connected_slaves:2')),
    { what: 'two replicas over TLS', withinMs: 60_000 },
  );
  await waitFor(
    () =>
      ask(port + 3, async (client) => /^OK 3/.test(String(await client.call('SENTINEL', 'CKQUORUM', 't')))),
    { what: 'a quorum over TLS', withinMs: 60_000 },
  );
  await waitFor(() => ask(port + 6, async (client) => (await client.set('k', 'v')) === 'OK'), {
    what: 'a write through HAProxy over TLS',
    withinMs: 60_000,
  });
  const plain = new Redis({
    port: first.port,
    lazyConnect: true,
    retryStrategy: () => null,
    connectTimeout: 2000,
  });
  plain.on('error', () => {});
  await expect(plain.connect().then(() => plain.ping())).rejects.toThrow();
  plain.disconnect();
});
