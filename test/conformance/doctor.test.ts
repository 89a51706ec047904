import { rmSync } from 'node:fs';
import path from 'node:path';
import { afterEach, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { runChecks } from '../../src/doctor/check.ts';
import { readDeployment } from '../../src/doctor/deployment/facts.ts';
import { deploymentChecks } from '../../src/doctor/deployment-checks.ts';
import { freePorts } from '../../src/process/free-ports.ts';
import { parseSpec } from '../../src/spec/parse.ts';
import { deriveSecrets } from '../../src/spec/secrets.ts';
import type { Member } from '../../src/spec/spec.ts';
import { RenderedServers } from '../support/rendered-servers.ts';

let servers: RenderedServers | undefined;
afterEach(() => servers?.stop());

test('the doctor sees real servers in good state and in bad', async () => {
  const port = await freePorts(9);
  const spec = parseSpec(
    `name: t\nredis: { port: ${port}, maxMemory: 100mb }\nsentinel: { port: ${port + 3} }\n` +
      `gate: { port: ${port + 6} }\nagent: { port: ${port + 8} }`,
    't.yaml',
  );
  const secrets = deriveSecrets(spec, 's', {});
  servers = new RenderedServers(spec, secrets);
  const [first, second] = spec.members as [Member, Member, Member];
  for (const member of spec.members) servers.startMember(member, member === first ? null : first);
  for (const sentinel of spec.sentinels) servers.startSentinel(sentinel, first);
  const found = async () => {
    const results = runChecks(deploymentChecks, await readDeployment(spec, secrets));
    const bad = results.filter(({ severity }) => severity === 'critical' || severity === 'warning');
    return bad.map(({ id, subject }) => [id, subject].filter(Boolean).join(' '));
  };
  const until = (wanted: string[]) =>
    waitFor(
      async () => {
        const now = await found();
        if (now.join() === wanted.join()) return true;
        throw new Error(`found ${now.join(', ') || 'nothing'}`);
      },
      { what: `the doctor to find ${wanted.join(', ')}`, withinMs: 60_000, everyMs: 100 },
    );
  // What is wrong with three servers of this machine's Redis on one machine, and nothing else.
  let old: string[] = [];
  const isSettled = async () => {
    const now = await found();
    old = now.filter((each) => each.startsWith('version'));
    return (
      [0, spec.members.length].includes(old.length) &&
      now.join() === ['spread', 'spread', ...old, 'backups'].join()
    );
  };
  await waitFor(isSettled, { what: 'the servers to be in good state', withinMs: 60_000, everyMs: 100 });

  const admin = await servers.connect(second.port);
  await admin.config('SET', 'maxmemory', '0');
  await admin.config('SET', 'appendonly', 'no');
  await admin.config('SET', 'protected-mode', 'no');
  await admin.config('SET', 'repl-backlog-size', '1mb');
  await admin.call('ACL', 'SETUSER', 'app', 'on', '>x', '~*', '+@all');
  await until([
    'spread',
    'spread',
    'backlog redis-2',
    'max-memory redis-2',
    'append-only-file redis-2',
    'dangerous-commands redis-2, user app',
    'exposure redis-2',
    ...old,
    'backups',
  ]);

  // Its folder is gone: it can neither save nor begin a new AOF.
  const third = await servers.connect((spec.members[2] as Member).port);
  rmSync(path.join(servers.folder, 'redis-3'), { recursive: true });
  await third.call('BGREWRITEAOF').catch(() => {});
  await third.call('BGSAVE', 'SCHEDULE');
  await until([
    'spread',
    'spread',
    'backlog redis-2',
    'max-memory redis-2',
    'append-only-file redis-2',
    'append-only-file redis-3',
    'last-save redis-3',
    'dangerous-commands redis-2, user app',
    'exposure redis-2',
    ...old,
    'backups',
  ]);

  await servers.stopOne('redis-2', 'SIGKILL');
  await servers.stopOne('sentinel-2', 'SIGKILL');
  await servers.stopOne('sentinel-3', 'SIGKILL');
  const gone = old.filter((each) => !each.includes('redis-2'));
  // The Sentinel that is left notices after its detectAfter.
  await until([
    'reachable redis-2',
    'reachable sentinel-2',
    'reachable sentinel-3',
    'quorum sentinel-1',
    'spread',
    'spread',
    'append-only-file redis-3',
    'last-save redis-3',
    ...gone,
    'backups',
  ]);
});
