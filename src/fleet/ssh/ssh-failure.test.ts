import { expect, test } from 'vitest';
import { sshFailure } from './ssh-failure.ts';

const failure = (status: number | null, stderr: string) =>
  sshFailure({ host: 'a', target: 'me@10.0.1.55', doing: 'writing a file', status, stderr });

test.each([
  [255, 'ssh: connect to host 10.0.1.55 port 22: Connection timed out\n', 'HOST_UNREACHABLE'],
  [255, 'ssh: Could not resolve hostname db-1: Name or service not known\n', 'HOST_UNREACHABLE'],
  [255, '', 'HOST_UNREACHABLE'],
  [null, '', 'HOST_UNREACHABLE'],
  [255, 'me@10.0.1.55: Permission denied (publickey).\n', 'SSH_LOGIN_REFUSED'],
  [
    255,
    'No ED25519 host key is known for 10.0.1.55 and you have requested strict checking.\nHost key verification failed.\n',
    'HOST_KEY_UNKNOWN',
  ],
  [
    255,
    '@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.\n',
    'HOST_KEY_CHANGED',
  ],
  [1, 'sudo: a password is required\n', 'NO_SUDO'],
  [1, 'holdfast: no sudo\n', 'NO_SUDO'],
  [1, 'tar: /opt/x: Cannot write: No space left on device\n', 'HOST_DISK_FULL'],
  [2, 'mv: cannot stat x\n', 'REMOTE_FAILED'],
])('status %j with %j is %s', (status, stderr, code) => {
  const error = failure(status, stderr);
  expect(error.code).toBe(code);
  expect(error.message).toContain('host a (me@10.0.1.55)');
});

test('what a host says is bounded, and on one line', () => {
  const { message } = failure(1, `${'x'.repeat(10_000)}\n\nthe end\n`);
  expect(message.length).toBeLessThan(800);
  expect(message).not.toContain('\n');
  expect(message).toContain('the end');
});
