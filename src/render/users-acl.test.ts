import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { parseSpec } from '../spec/parse.ts';
import { deriveSecrets } from '../spec/secrets.ts';
import { sentinelUserRules } from './sentinel-conf.ts';
import { renderUsersAcl } from './users-acl.ts';

const spec = parseSpec(
  'name: orders\nhosts: { a: { address: 10.0.0.1 }, b: { address: 10.0.0.2 }, c: { address: 10.0.0.3 } }\n',
  'spec.yaml',
);
const acl = (secret: string, beside: string | null) =>
  renderUsersAcl({ spec, secrets: deriveSecrets(spec, secret, {}, {}, beside), selectors: true });
const digest = (text: string | null) =>
  `#${createHash('sha256')
    .update(text ?? '')
    .digest('hex')}`;

test('two secrets side by side let in who has either, whichever of them is used', () => {
  const both = acl('old', 'new');
  expect(both).toBe(acl('new', 'old'));
  for (const secret of ['old', 'new']) {
    const { own, defaultPassword, sentinelPassword } = deriveSecrets(spec, secret, {});
    for (const password of [...Object.values(own), defaultPassword]) expect(both).toContain(digest(password));
    const rules = sentinelUserRules(deriveSecrets(spec, 'old', {}, {}, 'new'));
    expect(rules).toContain(digest(sentinelPassword));
  }
});

test('of one secret there is one password each', () => {
  for (const line of acl('old', null).trim().split('\n')) expect(line.match(/ #/g)).toHaveLength(1);
});

test('of standalone members the streams may write every key, and do nothing to the server; who observes may not', () => {
  const mirrored = parseSpec('name: orders\ntopology: mirror\n', 'spec.yaml');
  const secrets = deriveSecrets(mirrored, 'secret', {});
  const lines = renderUsersAcl({ spec: mirrored, secrets, selectors: true }).split('\n');
  const rules = new Map(lines.map((line) => [line.split(' ')[1], line.split(' ').slice(4).join(' ')]));
  expect(rules.get('holdfast-replication')).toMatch(/ \+@all -@admin \+psync \+replconf \+config\|get$/);
  const all = [...rules].filter(([name, words]) => name?.startsWith('holdfast-') && words.startsWith('~* '));
  expect(all.map(([name]) => name)).toEqual(['holdfast-replication', 'holdfast-restore']);
  for (const [name, words] of rules) {
    if (name === 'holdfast-replication') continue;
    expect(name === 'default' ? '' : words, name).not.toMatch(/\+@all|\+replicaof/);
  }
});
