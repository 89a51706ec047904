/** What CONFIG SET and ACL SETUSER change is seen, undone by apply or taken into the spec; apply twice changes nothing. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { TestDeployment } from '../support/deployment.ts';

describe('settings', () => {
  let deployment: TestDeployment;
  beforeAll(async () => {
    deployment = await TestDeployment.create();
    for (const name of ['app', 'default'])
      writeFileSync(path.join(deployment.folder, name), 'a long enough word for a test\n', { mode: 0o600 });
    const user = (name: string, acl: string) => ({ [name]: { password: { file: name }, acl } });
    const users = { ...user('app', '~app:* +@read'), ...user('default', '~* &* +@all') };
    deployment.writeSpec({
      security: { users },
      // A pause of writes keeps the Sentinels' hello back too, and their PINGs behind it: they would fail over.
      sentinel: { detectAfter: '60s' },
      redis: {
        maxMemory: '64mb',
        config: {
          'notify-keyspace-events': 'xE',
          'slave-serve-stale-data': false,
          'hash-max-ziplist-entries': 1000,
          'client-output-buffer-limit': ['replica 1gb 512mb 60'],
          'latency-tracking-info-percentiles': '50 99.9',
          'tracking-table-max-keys': 1000,
        },
      },
    });
    await deployment.start();
  });
  afterAll(() => deployment?.destroy());

  const password = 'a long enough word for a test';
  const client = () => deployment.client(deployment.ports.gate, { password });
  const planned = () => deployment.changesLeft();

  test('what was just started is as the spec says, in whatever words the spec says it', async () => {
    expect(await planned()).toEqual([]);
    expect((await deployment.status()).drift).toEqual([]);
  });

  test('CONFIG SET and ACL SETUSER through the gate are shown by status and the doctor, and told once', async () => {
    const redis = client();
    await redis.config('SET', 'hash-max-listpack-entries', '64');
    await redis.config('SET', 'maxmemory', '128mb');
    await redis.call('ACL', 'SETUSER', 'app', '+@write');
    await redis.call('ACL', 'SETUSER', 'stranger', 'on', 'nopass', '~*', '+get');
    const { drift } = await deployment.waitForStatus('the drift', (status) => status.drift.length === 4);
    expect(drift.map(({ member, name }) => `${member} ${name}`)).toEqual([
      'redis-1 hash-max-listpack-entries',
      'redis-1 maxmemory',
      'redis-1 app',
      'redis-1 stranger',
    ]);
    const shown = await deployment.run('status');
    expect(shown.stdout).toContain(
      'redis-1 runs with hash-max-listpack-entries 64, and by the spec it is 1000',
    );
    expect(shown.status).toBe(0);
    const doctor = await deployment.run('doctor');
    expect(doctor.stdout).toContain('redis-1 has a user stranger that the spec does not name');
    const told = deployment.events().filter(({ kind }) => kind === 'drift');
    expect(told).toHaveLength(4);
  });

  test('writes that somebody paused make the deployment degraded, until they pass again', async () => {
    const { primary, members } = await deployment.status();
    const port = members.find(({ id }) => id === primary)?.port as number;
    const redis = deployment.client(port, { password });
    await redis.call('CLIENT', 'PAUSE', '300000', 'WRITE');
    const isPaused = (problems: string[]) =>
      problems.some((each) => each.includes(`${primary} answers no write`));
    const paused = await deployment.waitForStatus('the pause', ({ problems }) => isPaused(problems));
    expect(paused.state).toBe('degraded');
    await redis.call('CLIENT', 'UNPAUSE');
    await deployment.waitForStatus('its end', ({ problems }) => !isPaused(problems));
  });

  test('adopted, it is in the spec, with its comments, and at every member; what can’t be is said', async () => {
    const text = readFileSync(deployment.specFile, 'utf8');
    writeFileSync(deployment.specFile, `# Ours.\n${text}`);
    const result = await deployment.run('apply', [], ['--adopt-drift', '--yes']);
    expect(result.status).toBe(0);
    expect(result.stderr).toContain('the user stranger is not in the spec');
    const after = readFileSync(deployment.specFile, 'utf8');
    expect(after).toContain('# Ours.');
    expect(after).toMatch(/maxMemory: 128mb/);
    for (const port of [0, 1, 2].map((i) => deployment.ports.members + i)) {
      const member = deployment.client(port, { password });
      expect(await member.config('GET', 'hash-max-listpack-entries')).toEqual([
        'hash-max-listpack-entries',
        '64',
      ]);
      expect(await member.call('ACL', 'LIST')).not.toEqual(
        expect.arrayContaining([expect.stringContaining('stranger')]),
      );
    }
    expect(await planned()).toEqual([]);
    expect(after).toMatch(/acl: .*\+@write/);
  });

  test('a key that is taken out of the spec is put back to what it is without', async () => {
    const text = readFileSync(deployment.specFile, 'utf8');
    writeFileSync(deployment.specFile, text.replace(/^.*tracking-table-max-keys.*\n/m, ''));
    const changes = await planned();
    expect(changes.map(({ what, to }) => [what, to])).toEqual(
      Array.from({ length: 3 }, () => ['tracking-table-max-keys', '1000000']),
    );
    expect((await deployment.run('apply', [], ['--yes'])).status).toBe(0);
    expect(await planned()).toEqual([]);
  });

  test('what CONFIG REWRITE left in redis.conf is there after a stop and a start, and named', async () => {
    const member = deployment.client(deployment.ports.members, { password });
    await member.config('SET', 'hz', '17');
    await member.config('REWRITE');
    await deployment.run('down');
    await deployment.start();
    expect(await planned()).toMatchObject([{ where: 'redis-1', what: 'hz', from: '17', to: '10' }]);
    expect((await deployment.run('apply', [], ['--yes'])).status).toBe(0);
    expect(await planned()).toEqual([]);
  });

  test('a user’s password changes: the former one is valid beside it until it is taken out, and nobody is cut off', async () => {
    const write = (app: Record<string, unknown>) => {
      const spec = parse(readFileSync(deployment.specFile, 'utf8'));
      const { formerPassword: _gone, ...before } = spec.security.users.app;
      spec.security.users.app = { ...before, ...app };
      writeFileSync(deployment.specFile, stringify(spec));
      return deployment.run('apply', [], ['--yes']);
    };
    const word = 'another word that is long enough';
    writeFileSync(path.join(deployment.folder, 'app-2'), `${word}\n`, { mode: 0o600 });
    const login = (secret: string) =>
      deployment.client(deployment.ports.gate, {
        username: 'app',
        password: secret,
        enableReadyCheck: false,
      });
    const works = (redis: ReturnType<typeof login>) => redis.get('app:x').then(() => true, String);
    const early = login(password);
    expect(await works(early)).toBe(true);
    expect((await write({ password: { file: 'app-2' }, formerPassword: { file: 'app' } })).status).toBe(0);
    expect(await Promise.all([early, login(password), login(word)].map(works))).toEqual([true, true, true]);
    const late = login(word);
    expect(await works(late)).toBe(true);
    expect((await write({})).stdout).toContain('another password');
    expect(await planned()).toEqual([]);
    expect(await works(late)).toBe(true);
    expect(await works(login(password))).not.toBe(true);
  });

  test('what no server takes is refused before anything is changed', async () => {
    const text = readFileSync(deployment.specFile, 'utf8');
    writeFileSync(
      deployment.specFile,
      text
        .replace('maxMemory: 128mb', 'maxMemory: 256mb')
        .replace('notify-keyspace-events: xE', 'notify-keyspace-events: "?"'),
    );
    const result = await deployment.run('apply', [], ['--yes']);
    expect(result.status).toBe(1);
    expect(result.stderr).toMatch(/APPLY_REFUSED/);
    expect(await client().config('GET', 'maxmemory')).toEqual(['maxmemory', String(128 * 2 ** 20)]);
  });
});
