import { expect, test } from 'vitest';
import { backupLines } from './backup-lines.ts';

const plain = { red: (text: string) => text, yellow: (text: string) => text };
const nothing = {
  ...{ lastGoodId: null, lastGoodAt: null, ageMs: null, nextAt: '2026-11-28T00:00:00.000Z', lastError: null },
  ...{ lastVerifiedAt: null, lastVerifiedGood: null, running: false, unread: false },
};

test('that no backup is known is said when the store was read, and not before', () => {
  const next = 'next 2026-11-28T00:00:00.000Z';
  expect(backupLines(nothing, plain)).toEqual([`no backup is known, none verified, ${next}`]);
  const unread = { ...nothing, unread: true };
  expect(backupLines(unread, plain)).toEqual([`the store of backups was not read yet, ${next}`]);
  expect(backupLines({ ...unread, lastError: 'no such bucket' }, plain)).toEqual([
    `the store of backups was not read yet, ${next}`,
    '  ! no such bucket',
  ]);
});
