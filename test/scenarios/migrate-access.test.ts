/** Each verb of `migrate` gets in the same way: passwords of servers and of Sentinels, and an authority, out of files. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { makeCertificates } from '../support/certificates.ts';
import { holdfast } from '../support/deployment.ts';
import {
  cleanUp,
  client,
  freePort,
  startRedis,
  startSentinel,
  tempFolder,
} from '../support/redis-processes.ts';
import { isWhole } from '../support/whole-run.ts';

afterAll(cleanUp);

test('Sentinels with TLS and a password of their own name the source, for each verb', async () => {
  const folder = tempFolder();
  const { cert, key, ca } = makeCertificates(folder);
  const [serverPort, sentinelPort] = [await freePort(), await freePort()];
  const tls = (port: number) =>
    Object.entries({
      ...{ 'tls-port': port, 'tls-cert-file': cert, 'tls-key-file': key, 'tls-ca-cert-file': ca },
      ...{ 'tls-auth-clients': 'no', 'tls-replication': 'yes' },
    }).map(([name, value]) => [name, String(value)] as const);
  const source = await startRedis([
    ...tls(serverPort).flatMap(([name, value]) => [`--${name}`, value]),
    ...['--requirepass', 'of-servers'],
  ]);
  await startSentinel('orders', serverPort, 1, [
    ...tls(sentinelPort).map((words) => words.join(' ')),
    ...['requirepass of-sentinels', 'sentinel auth-pass orders of-servers'],
  ]);
  const target = await startRedis();
  await client(source.port, { password: 'of-servers' }).set('key', 'value');
  const [servers, sentinels] = [path.join(folder, 'servers'), path.join(folder, 'sentinels')];
  writeFileSync(servers, 'of-servers\n', { mode: 0o600 });
  writeFileSync(sentinels, 'of-sentinels\n', { mode: 0o600 });

  const from = `sentinels://127.0.0.1:${sentinelPort}/orders`;
  const to = `redis://127.0.0.1:${target.port}`;
  const access = ['--source-password-file', servers, '--source-ca', ca];
  const verbs = [
    ['migrate', from, '--to', to, '--preflight', '--state-dir', path.join(folder, 'state')],
    ['migrate', 'scan', from, to],
    ['migrate', 'verify', from, to],
  ];
  for (const verb of verbs) {
    const asked = await holdfast([...verb, ...access, '--sentinel-password-file', sentinels]);
    expect(asked, `${verb.join(' ')}: ${asked.stderr}`).toMatchObject({ status: 0 });
    const refused = await holdfast([...verb, ...access]);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toMatch(/NOAUTH.*--sentinel-password-file/s);
  }
  expect(await client(target.port).get('key')).toBe('value');
});

test('of a login that fails it is said whose it is, as whom, and whence the password was, which is not', async () => {
  const [locked, open, folder] = [
    await startRedis(['--requirepass', 'right']),
    await startRedis(),
    tempFolder(),
  ];
  const file = path.join(folder, 'wrong');
  writeFileSync(file, 'not-the-one\n', { mode: 0o600 });
  const [one, other] = [`redis://127.0.0.1:${locked.port}`, `redis://127.0.0.1:${open.port}`];
  const state = ['--state-dir', path.join(folder, 'state'), '--preflight'];
  const cases: [string[], RegExp][] = [
    [['migrate', other, '--to', one, ...state], /the target .*NOAUTH.*--target-password-file/s],
    [
      ['migrate', one, '--to', other, '--source-password-file', file, ...state],
      /the source .*WRONGPASS.*the default user, with the password of the file .*wrong.*right one/s,
    ],
  ];
  if (isWhole) {
    cases.push(
      [['migrate', one, '--to', other, ...state], /the source .*NOAUTH.*--source-password-file/s],
      [
        ['migrate', other, '--to', one, '--target-password-file', file, ...state],
        /the target .*WRONGPASS.*the default user, with the password of the file .*wrong/s,
      ],
      [['migrate', 'scan', one, other], /NOAUTH.*--source-password-file/s],
      [['migrate', 'verify', one, other, '--source-password-file', file], /WRONGPASS.*the file .*wrong/s],
    );
  }
  for (const [verb, says] of cases) {
    const { status, stderr } = await holdfast(verb);
    expect({ status, stderr }, verb.join(' ')).toEqual({ status: 1, stderr: expect.stringMatching(says) });
    expect(stderr).not.toContain('not-the-one');
  }
});

test('a user without a password file is refused by each verb before anyone is asked', async () => {
  const [from, to] = ['redis://app@127.0.0.1:1', 'redis://127.0.0.1:2'];
  for (const verb of [
    ['migrate', from, '--to', to, '--state-dir', tempFolder()],
    ['migrate', 'scan', from, to],
    ['migrate', 'verify', from, to],
    ['init', path.join(tempFolder(), 'new.yaml'), '--from', from],
  ]) {
    const { status, stderr } = await holdfast(verb);
    expect({ status, stderr }, verb.join(' ')).toMatchObject({
      ...{ status: 2, stderr: expect.stringContaining('the user app has no password file') },
    });
  }
});

test('an authority that can’t be read is named by each verb', async () => {
  const [from, to, missing] = [
    'rediss://127.0.0.1:1',
    'redis://127.0.0.1:2',
    path.join(tempFolder(), 'ca.pem'),
  ];
  for (const verb of [
    ['migrate', from, '--to', to, '--source-ca', missing, '--state-dir', tempFolder()],
    ['migrate', 'scan', from, to, '--source-ca', missing],
    ['migrate', 'verify', from, to, '--source-ca', missing],
    ['init', path.join(tempFolder(), 'new.yaml'), '--from', from, '--tls-ca', missing],
  ]) {
    const { status, stderr } = await holdfast(verb);
    expect({ status, stderr }, verb.join(' ')).toMatchObject({
      ...{ status: 1, stderr: expect.stringContaining(`cannot read ${missing}`) },
    });
    expect(stderr, verb.join(' ')).toContain('TLS_FILE_UNREADABLE');
  }
});
