import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { DrillRuns } from './drill-runs.ts';

test('a drill that was given up before it had a page names none', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'hf-drills-'));
  const drills = new DrillRuns(folder, 'a');
  const run = {
    id: '0123456789abcdef',
    scenario: 'primary-crash',
    at: '2026-01-01T00:00:00.000Z',
    kept: null,
  };
  const file = await drills.pageFile(run.id);
  await drills.note(run);
  expect(drills.list().runs).toMatchObject([{ id: run.id, host: 'a', page: null }]);
  writeFileSync(file, '<p>');
  expect(drills.list().runs).toMatchObject([{ page: `/api/drills/${run.id}/page` }]);
  rmSync(folder, { recursive: true });
});
