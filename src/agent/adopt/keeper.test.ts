import { expect, test } from 'vitest';
import { keeperIn, wouldRest } from './keeper.ts';

const of = (
  cgroup: string,
  parent = { pid: 1, name: 'systemd' },
  ownCgroup = '0::/user.slice/session-1.scope\n',
) => keeperIn({ cgroup, ownCgroup, parent })?.what ?? null;

test('a unit of systemd keeps it, of the system or of a user; one that we are in ourselves does not', () => {
  expect(of('0::/system.slice/redis-server.service\n')).toBe('systemd, as redis-server.service');
  expect(of('12:pids:/system.slice/redis.service\n0::/\n')).toBe('systemd, as redis.service');
  const user = '0::/user.slice/user-1000.slice/user@1000.service/app.slice/redis.service\n';
  expect(of(user)).toBe('systemd, as redis.service');
  expect(keeperIn({ cgroup: user, ownCgroup: '', parent: { pid: 9, name: 'systemd' } })?.letGo).toContain(
    'systemctl --user mask redis.service',
  );
  expect(
    of('0::/system.slice/ssh.service\n', { pid: 1, name: 'init' }, '0::/system.slice/ssh.service\n'),
  ).toBeNull();
  expect(of('0::/user.slice/user-1000.slice/user@1000.service/session.slice\n')).toBeNull();
});

test('a parent that is neither process 1 nor a shell keeps it', () => {
  expect(of('0::/\n', { pid: 12, name: 'supervisord' })).toBe('supervisord (pid 12), which started it');
  expect(of('0::/\n', { pid: 12, name: 'bash' })).toBeNull();
  expect(of('0::/\n', { pid: 1, name: 'runit' })).toBeNull();
});

test.each([
  ['LoadState=masked\nUnitFileState=masked\nRestart=always\n', true],
  ['LoadState=loaded\nUnitFileState=masked-runtime\nRestart=always\n', true],
  ['LoadState=loaded\nUnitFileState=disabled\nRestart=no\n', true],
  ['LoadState=loaded\nUnitFileState=enabled\nRestart=no\n', false],
  ['LoadState=loaded\nUnitFileState=disabled\nRestart=on-failure\n', false],
  ['', false],
])('%s', (shown, rests) => expect(wouldRest(shown)).toBe(rests));
