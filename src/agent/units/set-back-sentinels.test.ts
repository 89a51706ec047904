import { expect, test } from 'vitest';
import { otherName, setBack } from './set-back-sentinels.ts';

test('settings that somebody changed are set back, passwords and patience are not its business', async () => {
  const told: string[] = [];
  const client = {
    settings: async () => ({ quorum: '1', 'failover-timeout': '6000', 'down-after-milliseconds': '60000' }),
    set: async (option: string, value: string) => void told.push(`${option} ${value}`),
  };
  const wanted = [
    ['auth-pass', 'secret'],
    ['down-after-milliseconds', 3000],
    ['failover-timeout', 6000],
    ['quorum', 2],
  ] as const;
  expect(await setBack(client, wanted)).toEqual(['quorum 1']);
  expect(told).toEqual(['quorum 2']);
});

test('a member that is watched under another name too is told with what ends that', async () => {
  const member = { place: { id: 'redis-1' } };
  const deployment = {
    spec: { name: 'orders' },
    memberAt: (where: { port: number } | null) => (where?.port === 7101 ? member : undefined),
  } as unknown as Parameters<typeof otherName>[0];
  const watching = (...names: [string, number][]) => ({
    watched: async () => names.map(([name, port]) => ({ name, address: '127.0.0.1', port })),
  });
  const place = { id: 'sentinel-1', port: 7201 };
  expect(await otherName(deployment, place, watching(['orders', 7101], ['else', 9]))).toBeNull();
  expect(await otherName(deployment, place, watching(['orders', 7101], ['mymaster', 7101]))).toContain(
    'redis-cli -p 7201 SENTINEL REMOVE mymaster',
  );
});
