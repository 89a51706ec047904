import { expect, test } from 'vitest';
import { parseSpec } from '../spec/parse.ts';
import { deriveSecrets } from '../spec/secrets.ts';
import { derivedPassword } from './token.ts';

const hosts = 'hosts: { a: { address: 10.0.0.1 }, b: { address: 10.0.0.2 }, c: { address: 10.0.0.3 } }';
const of = (text: string) => {
  const spec = parseSpec(`name: orders\n${text}`, 'orders.yaml');
  return () => derivedPassword(spec, deriveSecrets(spec, 'secret', { app: 'opensesame' }));
};

test('clients are told the password that is derived, and no other', () => {
  expect(of(hosts)()).toMatch(/^[\w-]{43}$/);
  expect(of(`${hosts}\nsecurity: { users: { app: { password: { env: APP } } } }`)).toThrow(
    'have passwords that the spec names: app',
  );
  expect(of('')).toThrow('need no password');
});
