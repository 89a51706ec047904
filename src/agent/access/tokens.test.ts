import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { type StatePaths, statePaths } from '../state/paths.ts';
import { Tokens } from './tokens.ts';

const own = { apiToken: 'to look', apiOperateToken: 'to act', agentToken: 'of agents', beside: null };
const nowMs = 1_700_000_000_000;

function places(): StatePaths {
  return statePaths(mkdtempSync(path.join(tmpdir(), 'hf-tokens-')));
}

test('the deployment has two of its own, and agents one that only looks', () => {
  const tokens = new Tokens(places(), own);
  expect(tokens.find('to look')).toMatchObject({ name: 'read', role: 'read' });
  expect(tokens.find('to act')).toMatchObject({ name: 'operate', role: 'operate' });
  expect(tokens.find('of agents')).toMatchObject({ role: 'read' });
  for (const wrong of ['', 'to loo', 'to look ', 'TO LOOK']) expect(tokens.find(wrong)).toBeUndefined();
});

test('one that is made is valid at once, is kept as a digest, and is gone when it is revoked', async () => {
  const place = places();
  const tokens = new Tokens(place, own);
  const elsewhere = new Tokens(place, own);
  const text = await tokens.make('alice', 'operate', nowMs);
  expect(elsewhere.find(text)).toMatchObject({
    name: 'alice',
    role: 'operate',
    madeAt: '2023-11-14T22:13:20.000Z',
  });
  expect(readFileSync(place.tokens, 'utf8')).not.toContain(text);
  expect(statSync(place.tokens).mode & 0o777).toBe(0o600);
  await elsewhere.revoke('alice');
  expect(tokens.find(text)).toBeUndefined();
  await tokens.revoke('operate');
  expect(elsewhere.find('to act')).toBeUndefined();
  expect(elsewhere.all().map(({ name }) => name)).toEqual(['read']);
});

test('names that are none, or taken, are refused', async () => {
  const tokens = new Tokens(places(), own);
  await tokens.make('alice', 'read', nowMs);
  for (const name of [
    'alice',
    'read',
    'operate',
    '',
    '-x',
    'a b',
    'a\n',
    'x'.repeat(42),
    '../x',
    'Owner',
    'agent',
  ]) {
    await expect(tokens.make(name, 'read', nowMs), name).rejects.toMatchObject({ code: 'TOKEN_WRONG' });
  }
  await expect(tokens.revoke('bob')).rejects.toMatchObject({
    code: 'TOKEN_UNKNOWN',
    hint: expect.stringContaining('alice'),
  });
});

test('what was made and revoked is told, whichever process did it', async () => {
  const place = places();
  const [tokens, elsewhere] = [new Tokens(place, own), new Tokens(place, own)];
  await elsewhere.make('bob', 'read', nowMs);
  expect(tokens.changes()).toEqual([]);
  await elsewhere.make('eve', 'operate', nowMs);
  await elsewhere.revoke('operate');
  expect(tokens.changes()).toEqual([
    'the token eve of the role operate is valid now',
    'the token operate of the role operate was revoked',
  ]);
  expect(tokens.changes()).toEqual([]);
});

test('a file that is none of ours makes no token valid, and is told', () => {
  const place = places();
  const tokens = new Tokens(place, own);
  for (const text of ['', '{}', '[]', '{"version":1,"tokens":[{"name":"x"}],"revoked":[]}']) {
    writeFileSync(place.tokens, text);
    expect(() => tokens.find('to act'), text).toThrow('is not a list of tokens');
  }
});

test('those of another secret are valid beside them while it is changed, and are not listed', async () => {
  const place = places();
  const beside = { apiToken: 'old look', apiOperateToken: 'old act', agentToken: 'old agents' };
  const tokens = new Tokens(place, { ...own, beside });
  expect(tokens.find('old look')).toMatchObject({ role: 'read' });
  expect(tokens.find('old act')).toMatchObject({ role: 'operate' });
  expect(tokens.find('old agents')).toMatchObject({ name: 'another agent', role: 'read' });
  expect(tokens.all()).toHaveLength(2);
  await tokens.revoke('operate');
  expect(tokens.find('old act')).toBeUndefined();
});

test('what was revoked stays so when its file is lost, and is written down again', async () => {
  const place = places();
  await new Tokens(place, own).writeOwn();
  expect(readFileSync(place.apiOperateToken, 'utf8')).toBe('to act\n');
  const tokens = new Tokens(place, own);
  const made = await tokens.make('alice', 'operate', nowMs);
  await tokens.revoke('operate');
  rmSync(place.tokens);
  for (const after of [tokens, new Tokens(place, own)]) {
    expect(after.find('to act')).toBeUndefined();
    expect(after.find(made)).toBeUndefined();
    expect(after.find('to look')).toBeDefined();
  }
  await new Tokens(place, own).writeOwn();
  rmSync(place.apiOperateToken);
  expect(new Tokens(place, own).find('to act')).toBeUndefined();
  await new Tokens(place, own).writeOwn();
  rmSync(place.tokens);
  expect(tokens.find('to act')).toBeUndefined();
});
