import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { parseSpec } from './parse.ts';
import { defaultUserMode, deriveSecrets, loadSecrets, makeSecret } from './secrets.ts';
import { specFileOf } from './write.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'holdfast-secrets-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const spec = (text = '') => parseSpec(`name: orders\n${text}`, path.join(folder, 'holdfast.yaml'));
const hosts = 'hosts: { a: { address: h1 }, b: { address: h2 }, c: { address: h3 } }\n';

test('the same secret gives the same passwords, another secret or deployment others', () => {
  const first = deriveSecrets(spec(), 's', {});
  expect(deriveSecrets(spec(), 's', {})).toEqual(first);
  expect(deriveSecrets(spec(), 't', {}).own.agent).not.toBe(first.own.agent);
  expect(deriveSecrets(parseSpec('name: other', 'x'), 's', {}).own.agent).not.toBe(first.own.agent);
  expect(new Set([...Object.values(first.own), first.apiToken]).size).toBe(7);
  expect(first.own.agent).toMatch(/^[\w-]{43}$/);
});

test('the default user is open on a laptop, has a password with hosts, and is off beside named users', () => {
  expect(defaultUserMode(spec())).toBe('open');
  expect(defaultUserMode(spec(hosts))).toBe('password');
  expect(defaultUserMode(spec('security: { users: { app: { password: { env: P } } } }'))).toBe('off');
  expect(defaultUserMode(spec('security: { users: { default: { password: { env: P } } } }'))).toBe(
    'password',
  );
  expect(deriveSecrets(spec(), 's', {})).toMatchObject({ sentinelPassword: null, defaultPassword: null });
  expect(deriveSecrets(spec(hosts), 's', {}).sentinelPassword).toMatch(/^[\w-]{43}$/);
});

test('a deployment without a secret gets one, once, that only its owner can read', async () => {
  const file = path.join(folder, 'state', 'secret');
  const starts = [1, 2].map(() => makeSecret(file).then(() => loadSecrets(spec(), file)));
  const [first, second] = await Promise.all(starts);
  expect(first).toEqual(second);
  expect(await loadSecrets(spec(), file)).toEqual(first);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect((await readFile(file, 'utf8')).trim()).toMatch(/^[\w-]{43}$/);
});

test('passwords come from files and the environment, without the last newline', async () => {
  await writeFile(path.join(folder, 'app'), 'p"a $s#s\\\n', { mode: 0o600 });
  const withUsers = spec(
    'security: { users: { app: { password: { file: app } }, b: { password: { env: B } } } }',
  );
  await makeSecret(path.join(folder, 'secret'));
  const secrets = await loadSecrets(withUsers, path.join(folder, 'secret'), { B: 'bee' });
  expect(secrets.users).toEqual({ app: 'p"a $s#s\\', b: 'bee' });
});

test.each([
  ['security: { secret: { file: nowhere } }', /security\.secret: cannot read .*nowhere/],
  ['security: { secret: { env: UNSET } }', /UNSET is not set/],
  [
    'security: { users: { app: { password: { env: EMPTY } } } }',
    /security\.users\.app\.password: .*EMPTY is empty/,
  ],
])('a secret that cannot be had is named: %s', async (text, message) => {
  await expect(loadSecrets(spec(text), path.join(folder, 'secret'), { EMPTY: '' })).rejects.toMatchObject({
    code: 'SECRET_UNAVAILABLE',
    message: expect.stringMatching(message),
  });
});

test('a pipe is refused, not waited for', async () => {
  execFileSync('mkfifo', ['-m', '600', path.join(folder, 'pipe')]);
  const named = spec('security: { secret: { file: pipe } }');
  await expect(loadSecrets(named, path.join(folder, 'secret'))).rejects.toMatchObject({
    code: 'SECRET_UNAVAILABLE',
    message: expect.stringMatching(
      /security\.secret: cannot read .*pipe: it is a pipe, and not a regular file/,
    ),
  });
});

test('users may be called what objects are made of', async () => {
  const names = ['constructor', 'toString'];
  const listed = names.map((name) => `"${name}": { password: { env: PW } }`).join(', ');
  const withUsers = spec(`security: { users: { ${listed} } }`);
  await makeSecret(path.join(folder, 'secret'));
  const { users } = await loadSecrets(withUsers, path.join(folder, 'secret'), { PW: 'pw' });
  expect(names.map((name) => users[name])).toEqual(['pw', 'pw']);
});

test('a name that an object would swallow is refused, not passed over', () => {
  const swallowed = () => spec('security: { users: { __proto__: { password: { env: PW } } } }');
  expect(swallowed).toThrow("holdfast.yaml:2:22: found '__proto__'");
});

test('a former password is valid beside the new one, and only its hash is in the ACL file', async () => {
  const write = (name: string, text: string) =>
    writeFile(path.join(folder, name), `${text}\n`, { mode: 0o600 });
  await Promise.all([write('new', 'the new word'), write('old', 'the old word')]);
  const user = 'app: { password: { file: new }, formerPassword: { file: old } }';
  const withBoth = spec(`security: { users: { ${user} } }`);
  await makeSecret(path.join(folder, 'secret'));
  const secrets = await loadSecrets(withBoth, path.join(folder, 'secret'));
  expect(secrets.formerUsers).toEqual({ app: 'the old word' });
  expect(parseSpec(stringify(specFileOf(withBoth)), 'x')).toEqual(withBoth);
  expect(() => spec('security: { users: { app: { password: { env: P }, formerPassword: old } } }')).toThrow(
    /formerPassword: found a password in the spec/,
  );
});
