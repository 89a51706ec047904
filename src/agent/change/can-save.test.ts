import { expect, test } from 'vitest';
import { refuseStopWithoutRoom, type Saver } from './can-save.ts';

const full = 'the disk of redis-1 is full: 0 B free in /data';

function member(
  config: { appendonly: string; save: string } | null,
  noRoom: string | null,
  running = true,
): Saver {
  const getConfig = async () => {
    if (config === null) throw new Error('it says nothing');
    return config;
  };
  return {
    unit: { process: { running }, view: { noRoom } },
    watch: { client: { getConfig } },
  } as unknown as Saver;
}

const rdb = { appendonly: 'no', save: '60 1' };
const look = async () => {};

test('a stop that could not save is refused, and names each disk', async () => {
  const other = full.replaceAll('redis-1', 'redis-2');
  await expect(
    refuseStopWithoutRoom([member(rdb, full), member(rdb, null), member(rdb, other)], look),
  ).rejects.toMatchObject({
    code: 'DISK_FULL',
    message: `nothing was stopped: ${full}; ${other}`,
    hint: expect.stringContaining('Make room'),
  });
});

test.each([
  ['has room', member(rdb, null)],
  ['has an AOF', member({ appendonly: 'yes', save: '60 1' }, full)],
  ['keeps nothing', member({ appendonly: 'no', save: '' }, full)],
  ['says nothing', member(null, full)],
  ['has ended', member(rdb, full, false)],
  ['is of another host', { ...member(rdb, full), unit: null }],
])('one that %s is stopped', async (_what, one) => {
  await refuseStopWithoutRoom([one], look);
});

test('what is looked at is the disk of now', async () => {
  const view = { noRoom: null as string | null };
  const one = { ...member(rdb, null), unit: { process: { running: true }, view } } as unknown as Saver;
  const fills = async () => {
    view.noRoom = full;
  };
  await expect(refuseStopWithoutRoom([one], fills)).rejects.toMatchObject({ code: 'DISK_FULL' });
});
