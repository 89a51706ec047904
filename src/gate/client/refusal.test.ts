import { Buffer } from 'node:buffer';
import { expect, test } from 'vitest';
import { ReplyError } from '../../resp/read.ts';
import { refusalFor, refusalWithin } from './refusal.ts';

const said = (text: string) => Buffer.from(`-${text}\r\n`);
const refusal = (name: string, text: string, kind: 'plain' | 'foreign' = 'plain', ranMs?: number) => {
  const buf = said(text);
  return refusalFor({ name, behaviour: { kind } }, buf, 0, buf.length, ranMs);
};
const words = "READONLY You can't write against a read only replica.";

test("a server's refusal says that nothing was executed; a script's own error does not", () => {
  expect(refusal('set', words)).toBe('readonly');
  expect(refusal('eval', words)).toBe('readonly');
  expect(refusal('evalsha', `${words} script: b5f2c1, on @user_script:1.`)).toBe('readonly');
  // So says Valkey 9.
  expect(refusal('eval', `${words} script: on @user_script:1.`)).toBe('readonly');
  expect(refusal('fcall', 'READONLY Can not run script with write flag on readonly replica')).toBe(
    'readonly',
  );
  expect(refusal('eval', 'NOREPLICAS Not enough good replicas to write.')).toBe('not-ready');
  expect(refusal('eval', 'LOADING Redis is loading the dataset in memory')).toBe('not-ready');
  const down = "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.";
  expect(refusal('eval', down)).toBe('not-ready');
  for (const name of ['eval', 'evalsha', 'fcall', 'eval_ro'])
    for (const text of ['READONLY mine', `${words} Or so.`, 'NOREPLICAS here', 'UNBLOCKED force unblock x'])
      expect(refusal(name, text), `${name}: ${text}`).toBeNull();
  expect(refusal('module.do', 'READONLY mine', 'foreign')).toBeNull();
});

const scripts = ['eval', 'evalsha', 'fcall'];
const sha = 'f_5a3b8e0c1d2f4a6b7c8d9e0f1a2b3c4d5e6f7a8b';
/** As Redis 6.2.16 was heard to say it: what ends a script, and what one got by `redis.pcall` and returned. */
const older = (text: string) => [
  `ERR Error running script (call to ${sha}): @user_script:1: @user_script: 1: -${text}`,
  `@user_script: 2: -${text}`,
  `=[C]: -1: -${text}`,
];
const noReplicas = 'NOREPLICAS Not enough good replicas to write.';

test("an older server's words for READONLY in a script say that nothing of the script was written", () => {
  for (const text of older(words))
    for (const name of scripts) expect(refusal(name, text), text).toBe('readonly');
  for (const text of older(words)) expect(refusal('get', text)).toBeNull();
  const notQuite = [
    ...older('READONLY mine'),
    ...older(words).map((text) => `${text}Or so.`),
    ...older(words).map((text) => text.replace(/@user_script: |=\[C\]: /, 'my script: ')),
    ...older('MISCONF Errors writing to the AOF file: No space left on device'),
    ...older("OOM command not allowed when used memory > 'maxmemory'."),
  ];
  for (const text of notQuite) expect(refusal('eval', text), text).toBeNull();
});

test('an older server may lose its replicas in the middle of a script, but not in a short one', () => {
  for (const text of older(noReplicas)) {
    expect(refusal('eval', text, 'plain', 20)).toBe('not-ready');
    expect(refusal('eval', text, 'plain', 600)).toBeNull();
    expect(refusal('eval', text)).toBeNull();
  }
  expect(refusal('eval', `${noReplicas} script: b5f2c1, on @user_script:1.`, 'plain', 60_000)).toBe(
    'not-ready',
  );
});

const plain = (name: string, read = false, write = false) => ({
  ...{ name, read, write },
  behaviour: { kind: 'plain' as const },
});
const script = plain('evalsha');
const set = plain('set', false, true);
const get = plain('get', true);
const no = new ReplyError(words);

test('a replica that refuses one script of a transaction has written nothing of it', () => {
  expect(refusalWithin([script], [no], 1)).toBe('readonly');
  expect(refusalWithin([get, script, script], ['x', no, 5], 1)).toBe('readonly');
  for (const text of older(words))
    expect(refusalWithin([script, script], [1, new ReplyError(text)], 1)).toBe('readonly');
  // These it may have executed, or they made a replica of it in between.
  const effects = [plain('replicaof'), { ...plain('publish'), behaviour: { kind: 'publish' as const } }];
  for (const effect of effects) expect(refusalWithin([effect, script], ['OK', no], 1)).toBeNull();
  expect(refusalWithin([script, script], [1, new ReplyError('READONLY mine')], 1)).toBeNull();
  expect(refusalWithin([set, get], ['OK', null], 1)).toBeNull();
  expect(refusalWithin([script], [no, no], 1)).toBeNull();
});

test('of other refusals every write of a transaction must have one', () => {
  const few = new ReplyError(noReplicas);
  expect(refusalWithin([script, get, script], [few, 'x', few], 1)).toBe('not-ready');
  expect(refusalWithin([script, script], [1, few], 1)).toBeNull();
  expect(refusalWithin([set, script], ['OK', few], 1)).toBeNull();
  // A replica, whatever else came of it.
  const stale = new ReplyError(
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
  );
  expect(refusalWithin([script, script], [stale, new ReplyError('NOSCRIPT x')], 1)).toBe('not-ready');
});
