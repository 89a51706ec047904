import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseSpec } from '../spec/parse.ts';
import { readPasswords } from '../spec/secrets.ts';
import { forgetFormer, makeNew, usersNamed } from './rotate-users.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'hf-users-'));
  for (const name of ['app', 'jobs']) writeFileSync(at(name), `${name}-word\n`, { mode: 0o600 });
  writeFileSync(at('orders.yaml'), text, { mode: 0o640 });
  chmodSync(at('orders.yaml'), 0o640);
});
afterEach(() => rmSync(folder, { recursive: true }));

const at = (name: string) => path.join(folder, name);
const text = `name: orders
security:
  users:
    app: { password: { file: app }, acl: "~* +get" } # the shop
    jobs:
      password: { file: jobs }
`;
const spec = () => parseSpec(readFileSync(at('orders.yaml'), 'utf8'), at('orders.yaml'));
const passwords = () => readPasswords(spec(), {});
const rotate = (...names: string[]) => makeNew(at('orders.yaml'), usersNamed(spec(), names));
const finish = () => forgetFormer(at('orders.yaml'), usersNamed(spec(), []));

test('both passwords are valid until the former one is taken away, and nothing else in the spec changes', async () => {
  await rotate();
  const { users, former } = passwords();
  expect({ ...former }).toEqual({ app: 'app-word', jobs: 'jobs-word' });
  expect(users['app']).toMatch(/^[\w-]{43}$/);
  expect(users['jobs']).not.toBe(users['app']);
  expect(statSync(at('app')).mode & 0o777).toBe(0o600);
  expect(statSync(at('app.former')).mode & 0o777).toBe(0o600);
  expect(statSync(at('orders.yaml')).mode & 0o777).toBe(0o640);
  expect(readFileSync(at('orders.yaml'), 'utf8')).toContain('# the shop');
  await finish();
  expect({ ...passwords().former }).toEqual({});
  expect(passwords().users).toEqual(users);
  expect(existsSync(at('app.former'))).toBe(false);
  expect(readFileSync(at('orders.yaml'), 'utf8')).toBe(text);
});

test('a change that is under way is gone on with: no third password takes the place of one that clients have', async () => {
  await rotate('app');
  const { users } = passwords();
  await rotate('app');
  expect(passwords().users['app']).toBe(users['app']);
  await rotate();
  expect({ ...passwords().former }).toEqual({ app: 'app-word', jobs: 'jobs-word' });
});

test('cut off before the new password was written, it is made now', async () => {
  writeFileSync(at('app.former'), 'app-word\n', { mode: 0o600 });
  const begun = text.replace('{ file: app },', '{ file: app }, formerPassword: { file: app.former },');
  writeFileSync(at('orders.yaml'), begun);
  await rotate('app');
  const { users, former } = passwords();
  expect(former['app']).toBe('app-word');
  expect(users['app']).not.toBe('app-word');
});

test('a password from the environment, and who is not there, are refused', () => {
  const named = parseSpec(text.replace('{ file: app }', '{ env: APP }'), at('orders.yaml'));
  expect(() => usersNamed(named, [])).toThrow(/the password of app is in the environment/);
  expect(usersNamed(named, ['jobs'])).toHaveLength(1);
  expect(() => usersNamed(named, ['ap'])).toThrow(/no user ap/);
  expect(() => usersNamed(parseSpec('name: orders\n', 'x.yaml'), [])).toThrow(/has no security.users/);
});
