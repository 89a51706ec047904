import type { Redis } from 'ioredis';
import { afterEach, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { freePorts } from '../../src/process/free-ports.ts';
import { sentinelRunId } from '../../src/render/sentinel-conf.ts';
import { parseSpec } from '../../src/spec/parse.ts';
import { deriveSecrets } from '../../src/spec/secrets.ts';
import type { Member } from '../../src/spec/spec.ts';
import { RenderedServers } from '../support/rendered-servers.ts';

let servers: RenderedServers | undefined;
afterEach(() => servers?.stop());

/** Three members and three Sentinels on free ports, all started in the same instant. */
async function startCold(text: string, users: Record<string, string> = {}) {
  const port = await freePorts(9);
  const spec = parseSpec(
    `name: orders\nredis: { port: ${port} }\nsentinel: { port: ${port + 3} }\ngate: { port: ${port + 6} }\n` +
      `agent: { port: ${port + 8} }\n${text}`,
    'test.yaml',
  );
  const secrets = deriveSecrets(spec, 'a secret', users);
  servers = new RenderedServers(spec, secrets);
  const primary = spec.members[0] as Member;
  for (const member of spec.members) servers.startMember(member, member === primary ? null : primary);
  for (const sentinel of spec.sentinels) servers.startSentinel(sentinel, primary);
  return { spec, secrets, servers, primary };
}

const withUsers = 'security: { users: { app: { password: { env: P } } } }';

test.each([
  ['on a laptop, open on loopback', ''],
  ['with users, behind a password', withUsers],
])('Sentinels know replicas and each other from the first second, and fail over: %s', async (_name, text) => {
  const { spec, secrets, servers, primary } = await startCold(text, { app: 'p' });
  const password = secrets.sentinelPassword;
  expect(password === null).toBe(text === '');
  const clients: Redis[] = [];
  for (const { port } of spec.sentinels)
    clients.push(await servers.connect(port, password === null ? {} : { password }));
  const started = performance.now();
  await Promise.all(
    clients.map((client) =>
      waitFor(async () => /^OK 3 usable/.test(String(await client.call('SENTINEL', 'CKQUORUM', 'orders'))), {
        what: 'a quorum of three',
        withinMs: 60_000,
      }),
    ),
  );
  const quorumMs = performance.now() - started;
  const first = clients[0] as Redis;
  await waitFor(async () => (await first.call('SENTINEL', 'FAILOVER', 'orders')) === 'OK', {
    what: 'a Sentinel that finds a replica fit to be promoted',
    withinMs: 60_000,
  });
  const acceptedMs = performance.now() - started;
  await waitFor(
    async () => {
      const [, port] = (await first.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'orders')) as string[];
      return Number(port) !== primary.port;
    },
    { what: 'another primary', withinMs: 60_000 },
  );
  console.info(`quorum after ${quorumMs.toFixed(0)} ms, failover accepted after ${acceptedMs.toFixed(0)} ms`);
  // What was rendered is still there after Sentinel rewrote the file.
  const config = servers.config('sentinel-1');
  expect(config).toContain(`sentinel myid ${sentinelRunId(spec, 'sentinel-1')}`);
  expect(config).toContain(sentinelRunId(spec, 'sentinel-2'));
  expect(config).toContain('down-after-milliseconds orders 3000');
});

test('a Sentinel behind a password lets nobody in without it', async () => {
  const { spec, servers } = await startCold(withUsers, { app: 'p' });
  const nobody = await servers.connect(spec.sentinels[0]?.port ?? 0);
  await expect(nobody.call('SENTINEL', 'MASTERS')).rejects.toThrow(/NOAUTH/);
});
