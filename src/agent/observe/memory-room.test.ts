import { expect, test } from 'vitest';
import { aPrimary, aReplica, aView } from '../../../test/support/views.ts';
import type { ApiView } from '../../api/view.ts';
import type { MemoryRoom } from '../../topology/view.ts';
import { writeHealth } from '../api/health.ts';
import { statusOf } from '../api/status-answer.ts';
import { memoryRoomOf } from './memory-room.ts';
import { MemoryTale } from './memory-watch.ts';

const info = (used: number, more: Record<string, string> = {}) => ({
  used_memory: String(used),
  maxmemory: '1000',
  maxmemory_policy: 'noeviction',
  ...more,
});
const oom = (count: number) => ({ errorstat_OOM: `count=${count}` });
const known = memoryRoomOf(info(100), null);
const full: MemoryRoom = { level: 'full', maxBytes: 64 * 2 ** 20, policy: 'noeviction', refused: 9 };

test('a server is full when it is at its limit, or when it refuses a little below it', () => {
  const levels = (used: number, more = {}, before: MemoryRoom | null = known) =>
    memoryRoomOf(info(used, more), before).level;
  expect([levels(900), levels(960), levels(1001)]).toEqual(['ample', 'scarce', 'full']);
  expect(levels(998, oom(3))).toBe('full');
  expect(levels(998, oom(9), full)).toBe('full');
  expect(levels(970, oom(9), full)).toBe('scarce');
  // Refused before the agent looked first, or only because one value is very long.
  expect(levels(960, oom(3), null)).toBe('scarce');
  expect(levels(500, oom(3))).toBe('ample');
  expect(levels(1100, { mem_not_counted_for_evict: '300' })).toBe('ample');
  expect(levels(1001, { maxmemory: '0' })).toBe('ample');
});

test('one that evicts is full only when it refuses: it found nothing to evict', () => {
  const lru = { maxmemory_policy: 'volatile-lru' };
  expect(memoryRoomOf(info(1001, lru), known).level).toBe('ample');
  expect(memoryRoomOf(info(1001, { ...lru, ...oom(1) }), known).level).toBe('full');
});

test('a full primary is a problem with a code, and its deployment is not ready for writes', () => {
  const members = [aPrimary('redis-1', { memory: full }), aReplica('redis-2', { memory: full })];
  const status = statusOf(aView({ members }), 0);
  const sentence = 'redis-1 is at its maxmemory of 64.0 MiB (noeviction): writes are refused with OOM';
  expect(status).toMatchObject({ state: 'degraded', problems: [sentence] });
  expect(status.members[0]).toMatchObject({ trouble: sentence, troubleCode: 'memory-full' });
  const view = { ...status, host: 'local' } as unknown as ApiView;
  expect(writeHealth(view)).toEqual({ ok: false, why: sentence });
  const scarce = statusOf(
    aView({ members: [aPrimary('redis-1', { memory: { ...full, level: 'scarce' } })] }),
    0,
  );
  expect(scarce.members[0]).toMatchObject({ troubleCode: 'memory-scarce' });
  expect(writeHealth({ ...scarce, host: 'local' } as unknown as ApiView).ok).toBe(true);
});

test('each turn is told once', () => {
  const tale = new MemoryTale();
  const levels = ['ample', 'scarce', 'scarce', 'full', 'scarce', 'full', 'ample', 'full'] as const;
  expect(levels.map((level) => tale.next(level))).toEqual([
    null,
    'memory-scarce',
    null,
    'memory-full',
    null,
    null,
    'memory-freed',
    'memory-full',
  ]);
});
