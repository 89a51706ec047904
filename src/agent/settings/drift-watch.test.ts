import { expect, test } from 'vitest';
import type { Argument, Request } from '../../redis/link.ts';
import type { LiveMember, Setting } from '../deployment.ts';
import { DriftWatch } from './drift-watch.ts';

const wanted = {
  config: {
    ...{ appendonly: 'yes', save: '', 'min-replicas-to-write': '1', hz: '10' },
    ...{ masteruser: 'holdfast-replication', masterauth: 'right' },
  },
  users: ['user default on nopass ~* &* +@all'],
};

/** A member that answers what it runs with, and counts how often everything was asked. */
class Server {
  config: Record<string, string> = { ...wanted.config };
  users = [...wanted.users];
  asked = 0;
  fails = false;
  readonly watch = {
    seen: { reachable: true, busy: null },
    client: {
      getConfig: async (name: string) => {
        if (this.fails) throw new Error('busy');
        if (name === '*') this.asked += 1;
        return { ...this.config };
      },
      connection: {
        call: async (..._words: Argument[]) => [...this.users],
        askAll: async (requests: readonly Request[]) =>
          requests.map(([command, , name]) =>
            command === 'ACL' ? [...this.users] : [String(name), this.config[String(name)] as string],
          ),
      },
    },
  };
}

function watching(beside: Setting['secrets']['beside'] = null) {
  const server = new Server();
  const told: string[] = [];
  const unit = { process: { running: true }, paths: { persistence: '/nowhere/at/all' } };
  const member = { ...server, place: { id: 'redis-1' }, unit } as unknown as LiveMember;
  const deployment = {
    members: [member],
    operations: { current: null },
    events: { add: (_kind: string, _subject: string, text: string) => void told.push(text) },
    spec: { name: 'test', mirror: null },
    setting: { secrets: { own: { replication: 'right' }, beside } } as Setting,
  };
  return { server, told, watch: new DriftWatch(deployment, { of: async () => wanted }) };
}

test.each<[string, (server: Server) => void]>([
  ['persistence is switched off', ({ config }) => void Object.assign(config, { appendonly: 'no' })],
  ['more replicas are wanted', ({ config }) => void Object.assign(config, { 'min-replicas-to-write': '3' })],
  [
    'it logs in at a primary as somebody else',
    ({ config }) => void Object.assign(config, { masteruser: 'x' }),
  ],
  [
    'it has another password for that',
    ({ config }) => void Object.assign(config, { masterauth: 'secret-x' }),
  ],
  [
    'a user is let in by another password',
    ({ users }) => void users.splice(0, 1, 'user default on #12 ~* &* +@all'),
  ],
  ['a user loses rights', ({ users }) => void users.splice(0, 1, 'user default on nopass &* +@all')],
])('what can do harm is seen at the next short look: %s', async (_what, change) => {
  const { server, told, watch } = watching();
  await watch.look();
  await watch.lookForHarm();
  await watch.lookForHarm();
  // Nothing has changed: it costs no more than that.
  expect(server.asked).toBe(1);
  change(server);
  await watch.lookForHarm();
  expect(watch.drift).toHaveLength(1);
  expect(told).toHaveLength(1);
  expect(told[0]).not.toContain('secret');
  await watch.lookForHarm();
  expect(server.asked).toBe(2);
  // Undone, it is over as soon.
  Object.assign(server, { config: { ...wanted.config }, users: [...wanted.users] });
  await watch.lookForHarm();
  expect(watch.drift).toEqual([]);
});

test('while the secret is changed, a member may log in by the former one', async () => {
  const { server, watch } = watching({ own: { replication: 'former' } } as Setting['secrets']['beside']);
  server.config['masterauth'] = 'former';
  await watch.look();
  expect(watch.drift).toEqual([]);
});

test('a look that failed is made again at the next short look', async () => {
  const { server, watch } = watching();
  await watch.look();
  server.config['appendonly'] = 'no';
  server.fails = true;
  await watch.lookForHarm();
  server.fails = false;
  await watch.lookForHarm();
  expect(watch.drift).toHaveLength(1);
});

test('other drift waits for the long look', async () => {
  const { server, watch } = watching();
  await watch.look();
  server.config['hz'] = '50';
  await watch.lookForHarm();
  expect(watch.drift).toEqual([]);
  await watch.look();
  expect(watch.drift).toHaveLength(1);
});

test('drift is shown in a line that can be read, and compared whole: another change of what is cut off is told', async () => {
  const { server, told, watch } = watching();
  const long = `3600 ${'1'.repeat(300)}`;
  server.config['save'] = `${long} 1`;
  await watch.look();
  server.config['save'] = `${long} 2`;
  await watch.look();
  await watch.look();
  expect(told).toHaveLength(2);
  for (const text of told) expect(text.length).toBeLessThan(200);
  expect(watch.drift[0]?.running).toBe(`${long} 2`);
});
