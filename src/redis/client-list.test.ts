import { expect, test } from 'vitest';
import { parseClientList } from './client-list.ts';

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
