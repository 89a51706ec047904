import { Buffer } from 'node:buffer';
import { expect, test } from 'vitest';
import { refusalFor } from './refusal.ts';

const said = (text: string) => Buffer.from(`-${text}\r\n`);
const refusal = (name: string, text: string, kind: 'plain' | 'foreign' = 'plain') => {
  const buf = said(text);
  return refusalFor({ name, behaviour: { kind } }, buf, 0, buf.length);
};
const words = "READONLY You can't write against a read only replica.";

test("a server's refusal says that nothing was executed; a script's own error does not", () => {
  expect(refusal('set', words)).toBe('readonly');
  expect(refusal('eval', words)).toBe('readonly');
  expect(refusal('evalsha', `${words} script: b5f2c1, on @user_script:1.`)).toBe('readonly');
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
