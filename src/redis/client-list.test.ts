import { expect, test } from 'vitest';
import { blockedIn, parseClientList } from './client-list.ts';

test('a connection is what its line says', () => {
  const text = [
    'id=3 addr=127.0.0.1:5000 laddr=127.0.0.1:7101 fd=8 name=web age=12 idle=3 flags=N db=2 sub=0 psub=0 cmd=get tot-mem=1928 user=app',
    'id=4 addr=10.0.0.2:6379 name= age=1 idle=0 flags=S db=0 sub=0 psub=0 cmd=replconf user=holdfast-replication',
    'id=5 addr=10.0.0.3:1 name= age=1 idle=0 flags=P db=0 sub=1 psub=0 cmd=subscribe user=default',
    '',
  ].join('\n');
  const [web, replica, subscriber] = parseClientList(text);
  expect(web).toEqual({
    ...{ id: '3', address: '127.0.0.1:5000', name: 'web', user: 'app', kind: 'normal', db: 2 },
    ...{ ageMs: 12_000, idleMs: 3000, command: 'get', memoryBytes: 1928 },
  });
  expect(replica).toMatchObject({ kind: 'replica', memoryBytes: null });
  expect(subscriber?.kind).toBe('pubsub');
  expect(parseClientList('rubbish\n\n')).toEqual([]);
});

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

test('who waits in a blocking command is seen in CLIENT LIST, whatever it calls itself', () => {
  const list = [
    'id=3 addr=127.0.0.1:1 laddr=127.0.0.1:2 fd=8 name=flags=b age=1 idle=0 flags=N db=0 cmd=get user=default',
    'id=14 addr=127.0.0.1:1 laddr=127.0.0.1:2 fd=9 name= age=1 idle=0 flags=b db=0 cmd=blpop user=default',
    'id=15 addr=127.0.0.1:1 laddr=127.0.0.1:2 fd=9 name= age=1 idle=0 flags=bx db=0 cmd=blpop user=default',
    '',
  ].join('\n');
  expect([...blockedIn(list)]).toEqual([14, 15]);
});
