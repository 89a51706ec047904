import { expect, test } from 'vitest';
import { keptReplies } from './backlog.ts';

test('what a member keeps of a connection is what its CLIENT LIST says; a name can not say it', () => {
  const line = 'id=7 addr=127.0.0.1:1 name=omem=3 age=0 omem=20504 tot-mem=42 events=r cmd=get';
  expect(keptReplies(line)).toBe(20504);
  expect(keptReplies('')).toBeNull();
});
