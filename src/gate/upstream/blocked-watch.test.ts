import { expect, test } from 'vitest';
import { blockedIn } from './blocked-watch.ts';

test('who waits is told by the flags of CLIENT LIST; a name can not say it', () => {
  const list = [
    'id=7 addr=127.0.0.1:1 name=x db=0 flags=b cmd=blpop',
    'id=8 addr=127.0.0.1:2 name=flags=b db=0 flags=N cmd=get',
    'id=9 addr=127.0.0.1:3 name= db=0 flags=xb cmd=blmove',
    'id=10 addr=127.0.0.1:4 name= db=0 flags=P cmd=subscribe',
    '',
  ].join('\n');
  expect([...blockedIn(list)]).toEqual([7, 9]);
  expect([...blockedIn('')]).toEqual([]);
});
