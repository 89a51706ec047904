import { expect, test } from 'vitest';
import { asBefore, userName, withoutWrites } from './user-rules.ts';
import { blockedClients } from './way-back.ts';

const digest = `#${'a'.repeat(64)}`;
const line = `user app on ${digest} sanitize-payload ~a:* resetchannels &* -@all +@write +get (%R~b:* +get)`;

test('a user loses what writes, selectors too, and gets back what it had', () => {
  expect(userName(line)).toBe('app');
  expect(withoutWrites(line)).toEqual(['app', '-@write', 'clearselectors']);
  expect(withoutWrites('user default on nopass ~* &* +@all')).toEqual(['default', '-@write']);
  expect(['user', ...asBefore(line)].join(' ')).toBe(line.replace('app on', 'app reset on'));
});

test('what is no line of ACL LIST says nothing', () => {
  for (const text of ['', 'user', 'nobody x']) {
    expect([userName(text), withoutWrites(text), asBefore(text)]).toEqual([undefined, [], []]);
  }
});

test('who waits in a blocking command is seen in CLIENT LIST, whatever it calls itself', () => {
  const list = [
    'id=3 addr=127.0.0.1:1 laddr=127.0.0.1:2 fd=8 name=flags=b age=1 idle=0 flags=N db=0 cmd=get user=default',
    'id=14 addr=127.0.0.1:1 laddr=127.0.0.1:2 fd=9 name= age=1 idle=0 flags=b db=0 cmd=blpop user=default',
    'id=15 addr=127.0.0.1:1 laddr=127.0.0.1:2 fd=9 name= age=1 idle=0 flags=bx db=0 cmd=blpop user=default',
    '',
  ].join('\n');
  expect(blockedClients(list)).toEqual(['14', '15']);
});
