import { expect, test } from 'vitest';
import { adoptAccepted, adoptSettings, type RunningSetting } from './adopt.ts';
import { parseSpec } from './parse.ts';

const text = `# Who runs what.
name: orders   # never change it
redis:
  maxMemory: 1gb # half of the machine
  config:
    notify-keyspace-events: Ex
security:
  users:
    app: { password: { env: APP_PASSWORD }, acl: "~* +@read" }
`;

const set = (name: string, running: string): RunningSetting => ({ kind: 'setting', name, running });

test('values go where the spec has a key for them, else under redis.config; comments stay', () => {
  const {
    text: after,
    adopted,
    left,
  } = adoptSettings(text, [
    set('maxmemory', '2147483648'),
    set('maxmemory-policy', 'allkeys-lru'),
    set('save', '900 1 60 10000'),
    set('notify-keyspace-events', 'AKE'),
    set('hash-max-listpack-entries', '64'),
    set('client-output-buffer-limit', 'normal 0 0 0 slave 10 5 60 pubsub 1 1 1'),
    {
      kind: 'user',
      name: 'app',
      running:
        'on sanitize-payload ~app:* resetchannels &* -@all +@all -@dangerous -publish -spublish (resetchannels &[^_]* -@all +publish +spublish)',
    },
  ]);
  expect(left).toEqual([]);
  expect(adopted).toHaveLength(7);
  expect(after).toContain('# Who runs what.\nname: orders # never change it');
  expect(after).toContain('# half of the machine');
  const { redis, security } = parseSpec(after, 'holdfast.yaml');
  expect(redis.maxMemoryBytes).toBe(2147483648);
  expect(redis.maxMemoryPolicy).toBe('allkeys-lru');
  expect(redis.save).toEqual([
    { seconds: 900, changes: 1 },
    { seconds: 60, changes: 10000 },
  ]);
  expect(redis.config).toEqual({
    'notify-keyspace-events': ['AKE'],
    'hash-max-listpack-entries': [64],
    'client-output-buffer-limit': ['normal 0 0 0', 'replica 10 5 60', 'pubsub 1 1 1'],
  });
  expect(security.users[0]?.acl).toBe('~app:* &* +@all -@dangerous');
});

test('a value with a space is one word, but for directives that take several', () => {
  const { text: after } = adoptSettings('name: plain\n', [
    set('proc-title-template', '{title} "x"'),
    set('oom-score-adj-values', '0 200 800'),
  ]);
  expect(parseSpec(after, 'holdfast.yaml').redis.config).toEqual({
    'proc-title-template': ['"{title} \\"x\\""'],
    'oom-score-adj-values': ['0 200 800'],
  });
});

test('sections that are not there are made', () => {
  const { text: after } = adoptSettings('name: plain\n', [set('hz', '50'), set('maxmemory', '0')]);
  expect(parseSpec(after, 'holdfast.yaml').redis.config).toEqual({ hz: [50] });
});

test.each<[RunningSetting, RegExp]>([
  [set('appendonly', 'no'), /change redis.persistence/],
  [set('appendfsync', 'no'), /not in the spec/],
  [set('enable-debug-command', 'yes'), /stays off/],
  [{ kind: 'user', name: 'other', running: 'on ~* +@all' }, /where its password is/],
  [{ kind: 'user', name: 'app', running: 'off ~* -@all' }, /switched off/],
  [{ kind: 'user', name: 'app', running: 'on nopass ~* +@all' }, /no password/],
])('%o is left, with the reason', (setting, reason) => {
  const { adopted, left } = adoptSettings(text, [setting]);
  expect(adopted).toEqual([]);
  expect(left).toEqual([expect.stringMatching(reason)]);
});

test('a setting that the spec has by an older name stays by that name, and is not there twice', () => {
  const before = 'name: plain\nredis:\n  config:\n    hash-max-ziplist-entries: 1000\n';
  const { text: after } = adoptSettings(before, [set('hash-max-listpack-entries', '64')]);
  expect(parseSpec(after, 'holdfast.yaml').redis.config).toEqual({ 'hash-max-ziplist-entries': [64] });
});

test('a password is not taken over, and keeps nothing else from it', () => {
  const { adopted, left } = adoptSettings(text, [
    set('requirepass', '(a password)'),
    set('tls-key-file-pass', '(a password)'),
    set('hash-max-listpack-entries', '64'),
  ]);
  expect(adopted).toEqual(['redis.config.hash-max-listpack-entries: 64']);
  expect(left).toEqual([
    expect.stringContaining("requirepass can't be in the spec: make the password that of a user"),
    expect.stringContaining("tls-key-file-pass can't be in the spec"),
  ]);
});

test('what the spec would be refused for is left, and the rest taken over', () => {
  const one = 'name: one\nredis:\n  members: 1\n';
  const {
    text: after,
    adopted,
    left,
  } = adoptAccepted(
    one,
    [set('min-replicas-max-lag', '7'), set('hash-max-listpack-entries', '64')],
    'holdfast.yaml',
  );
  expect(adopted).toEqual(['redis.config.hash-max-listpack-entries: 64']);
  expect(left).toEqual([expect.stringMatching(/^min-replicas-max-lag can't be in the spec: redis\./)]);
  expect(parseSpec(after, 'holdfast.yaml').redis.config).toEqual({ 'hash-max-listpack-entries': [64] });
});

test('what is refused alone is taken over beside what it needs', () => {
  const settings = [set('min-replicas-max-lag', '7'), set('min-replicas-to-write', '1')];
  const { adopted, left } = adoptAccepted(
    'name: three\nredis:\n  minReplicasToWrite: 0\n',
    settings,
    'x.yaml',
  );
  expect(adopted).toHaveLength(2);
  expect(left).toEqual([]);
});
