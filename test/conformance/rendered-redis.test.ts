import { afterEach, describe, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { freePorts } from '../../src/process/free-ports.ts';
import { parseSpec } from '../../src/spec/parse.ts';
import { deriveSecrets, type OwnUser, ownUserName } from '../../src/spec/secrets.ts';
import type { Member, Spec } from '../../src/spec/spec.ts';
import { RenderedServers } from '../support/rendered-servers.ts';

let servers: RenderedServers | undefined;
afterEach(() => servers?.stop());

/** A laptop's deployment on free ports; `text` adds to the spec. */
async function deploy(text = '', users: Record<string, string> = {}) {
  const port = await freePorts(9);
  const spec = parseSpec(
    `name: t\nsentinel: { port: ${port + 3} }\ngate: { port: ${port + 6} }\nagent: { port: ${port + 8} }\n` +
      `${text === '' ? 'redis: {}' : text}`.replace('redis: {', `redis: { port: ${port}, `),
    'test.yaml',
  );
  const secrets = deriveSecrets(spec, 'a secret', users);
  servers = new RenderedServers(spec, secrets);
  return { spec, secrets, servers, members: spec.members as [Member, Member, Member] };
}

const login = (secrets: { own: Record<OwnUser, string> }, user: OwnUser) => ({
  username: ownUserName(user),
  password: secrets.own[user],
});

function startAll(spec: Spec, servers: RenderedServers): void {
  const [first, ...others] = spec.members as [Member, ...Member[]];
  servers.startMember(first, null);
  for (const member of others) servers.startMember(member, first);
  for (const sentinel of spec.sentinels) servers.startSentinel(sentinel, first);
}

describe('redis.conf and users.acl', () => {
  test('the default deployment starts, replicates, and has the settings of its spec', async () => {
    const { spec, servers, members } = await deploy();
    startAll(spec, servers);
    const primary = await servers.connect(members[0].port);
    await waitFor(async () => (await primary.info('replication')).includes('connected_slaves:2'), {
      what: 'two replicas',
      withinMs: 60_000,
    });
    await waitFor(async () => (await primary.set('k', 'v')) === 'OK', { what: 'a write', withinMs: 60_000 });
    expect(await primary.wait(2, 10_000)).toBe(2);
    const setting = async (name: string) => ((await primary.config('GET', name)) as string[])[1];
    expect(await setting('appendonly')).toBe('yes');
    expect(await setting('appendfsync')).toBe('everysec');
    expect(await setting('save')).toBe('3600 1 300 100 60 10000');
    expect(await setting('min-replicas-to-write')).toBe('1');
    expect(await setting('min-replicas-max-lag')).toBe('10');
    expect(await setting('repl-diskless-sync')).toBe('yes');
    expect(await setting('protected-mode')).toBe('yes');
    // Both fail with an error, and not only for want of a right: they are off for everyone.
    await expect(primary.call('DEBUG', 'SLEEP', '0')).rejects.toThrow(/DEBUG command not allowed/);
    await expect(primary.config('SET', 'dir', '/tmp')).rejects.toThrow(/protected config/);
  });

  test.each([
    ['none', ['appendonly no', 'save ']],
    ['rdb', ['appendonly no', 'save 3600 1 300 100 60 10000']],
    ['aof-always', ['appendonly yes', 'appendfsync always']],
  ])('persistence %s', async (persistence, expected) => {
    const { servers, members } = await deploy(`redis: { persistence: ${persistence}, members: 2 }`);
    servers.startMember(members[0], null);
    const client = await servers.connect(members[0].port);
    for (const each of expected) {
      const [name, ...value] = each.split(' ');
      expect(await client.config('GET', name as string)).toEqual([name, value.join(' ')]);
    }
  });

  test('directives of the spec are passed through and win over ours', async () => {
    const { servers, members } = await deploy(
      'redis: { maxMemory: 100mb, maxMemoryPolicy: allkeys-lru, config: { tcp-keepalive: 30, ' +
        'notify-keyspace-events: "", activedefrag: false, client-output-buffer-limit: "replica 1gb 512mb 90" } }',
    );
    servers.startMember(members[0], null);
    const client = await servers.connect(members[0].port);
    const value = async (name: string) => ((await client.config('GET', name)) as string[])[1];
    expect(await value('tcp-keepalive')).toBe('30');
    expect(await value('maxmemory')).toBe(String(100 * 2 ** 20));
    expect(await value('maxmemory-policy')).toBe('allkeys-lru');
    expect(await value('client-output-buffer-limit')).toContain('slave 1073741824 536870912 90');
    expect(servers.config('redis-1').match(/tcp-keepalive/g)).toHaveLength(1);
  });

  test('the file survives the rewriting that Redis does, and starts again', async () => {
    const { secrets, servers, members } = await deploy();
    servers.startMember(members[0], null);
    const agent = await servers.connect(members[0].port, login(secrets, 'agent'));
    await agent.config('SET', 'maxmemory', '123mb');
    await agent.config('REWRITE');
    await agent.call('ACL', 'LOAD');
    expect(servers.config('redis-1')).toContain('maxmemory 123mb');
    expect(servers.config('redis-1')).toMatch(new RegExp(`^masterauth "?${secrets.own.replication}"?$`, 'm'));
  });

  test('application users: passwords with every awkward character, rules as given, default off', async () => {
    const password = `p"a\\s$s #w'ö rd`;
    const { secrets, servers, members } = await deploy(
      'redis: {}\nsecurity: { users: { app: { password: { env: P } }, ro: { password: { env: Q }, acl: "~a:* +@read" } } }',
      { app: password, ro: 'q' },
    );
    servers.startMember(members[0], null);
    const app = await servers.connect(members[0].port, { username: 'app', password });
    expect(await app.call('ACL', 'WHOAMI')).toBe('app');
    expect(await app.info('server')).toContain('redis_version');
    await expect(app.call('CONFIG', 'GET', 'dir')).rejects.toThrow(/NOPERM/);
    await expect(app.flushall()).rejects.toThrow(/NOPERM/);
    const readOnly = await servers.connect(members[0].port, {
      username: 'ro',
      password: secrets.users['ro'] ?? '',
    });
    expect(await readOnly.get('a:1')).toBeNull();
    await expect(readOnly.get('b')).rejects.toThrow(/NOPERM/);
    await expect(readOnly.set('a:1', '1')).rejects.toThrow(/NOPERM/);
    const nobody = await servers.connect(members[0].port);
    await expect(nobody.get('a:1')).rejects.toThrow(/NOAUTH/);
  });

  test("holdfast's own users can do their work and nothing more", async () => {
    const { secrets, servers, members } = await deploy();
    servers.startMember(members[0], null);
    const as = (user: OwnUser) => servers.connect(members[0].port, login(secrets, user));
    const gate = await as('gate');
    expect(await gate.call('ROLE')).toContain('master');
    expect(await gate.call('COMMAND', 'COUNT')).toBeGreaterThan(200);
    const backup = await as('backup');
    expect(await backup.dbsize()).toBe(0);
    const agent = await as('agent');
    expect(await agent.call('CLIENT', 'PAUSE', '1', 'WRITE')).toBe('OK');
    expect(await agent.call('CLIENT', 'UNPAUSE')).toBe('OK');
    expect(await agent.call('REPLICAOF', 'NO', 'ONE')).toBe('OK');
    expect(await agent.del('holdfast:probe').catch(String)).toMatch(/0|NOREPLICAS/);
    for (const client of [gate, backup, agent]) {
      for (const command of ['GET k', 'SET k v', 'KEYS *', 'FLUSHALL', 'DEBUG JMAP', 'EVAL x 0']) {
        const [name, ...args] = command.split(' ') as [string, ...string[]];
        await expect(client.call(name, ...args), command).rejects.toThrow(/NOPERM|not allowed/);
      }
    }
    for (const client of [gate, backup]) {
      await expect(client.call('ACL', 'SETUSER', 'x', 'on')).rejects.toThrow(/NOPERM/);
      await expect(client.call('REPLICAOF', 'NO', 'ONE')).rejects.toThrow(/NOPERM/);
      await expect(client.call('CONFIG', 'GET', 'masterauth')).rejects.toThrow(/NOPERM/);
    }
  });
});
