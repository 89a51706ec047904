import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseSpec } from '../../spec/parse.ts';
import { loadSecrets } from '../../spec/secrets.ts';
import { makeFirstSecret } from './first-secret.ts';
import { statePaths } from './paths.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'hf-secret-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const spec = (more = '') => parseSpec(`name: orders\n${more}`, path.join(root, 'holdfast.yaml'));
const hosts = 'hosts: { a: { address: h1 }, b: { address: h2 }, c: { address: h3 } }\n';

test('the first start makes it, and the next one leaves it', async () => {
  const paths = statePaths(root);
  expect(await makeFirstSecret(spec(), paths)).toBe(true);
  const first = await loadSecrets(spec(), paths.secret);
  expect(await makeFirstSecret(spec(), paths)).toBe(false);
  expect(await loadSecrets(spec(), paths.secret)).toEqual(first);
});

test.each([
  ['members', 'redis-1', 'redis.conf'],
  ['sentinels', 'sentinel-1', 'sentinel.conf'],
  ['gates', 'gate-1', 'gate.json'],
])(
  'where %s were configured by one that is gone, none is made, and the ways out are named',
  async (kind, id, file) => {
    mkdirSync(path.join(root, kind, id), { recursive: true });
    // A folder without a configuration is of a start that came no further.
    expect(await makeFirstSecret(spec(), statePaths(root))).toBe(true);
    rmSync(path.join(root, 'secret'));
    writeFileSync(path.join(root, kind, id, file), '');
    await expect(makeFirstSecret(spec(hosts), statePaths(root))).rejects.toMatchObject({
      code: 'STATE_DIR_UNUSABLE',
      message: `the secret of orders is gone: ${path.join(root, 'secret')} is not there, and ${path.join(root, kind, id)} has passwords that follow from it`,
      hint: expect.stringMatching(
        /from another host.*security\.secret.*holdfast down.*holdfast up.*All hosts/,
      ),
    });
    expect(readdirSync(root)).toEqual([kind]);
  },
);

test('whoever only reads it makes none', async () => {
  await expect(loadSecrets(spec(), path.join(root, 'secret'))).rejects.toMatchObject({
    code: 'SECRET_UNAVAILABLE',
    message: expect.stringContaining('is not there'),
  });
  expect(readdirSync(root)).toEqual([]);
});
