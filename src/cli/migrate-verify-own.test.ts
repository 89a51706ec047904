import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { errorCode } from '../base/errors.ts';
import { migrationPaths, type Plan, writePlan } from '../migrate/plan.ts';
import { type Phase, writeProgress } from '../migrate/progress.ts';
import { verifyMigration } from './migrate-verify-own.ts';
import { createOutput } from './output.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'holdfast-verify-own-'));
});
afterEach(() => rmSync(root, { recursive: true }));

/** Of a migration whose servers nobody answers for: what is refused before they are asked. */
async function repaired(method: Plan['method'], phase: Phase): Promise<unknown> {
  const stateDir = path.join(root, `${method}-${phase}`);
  const paths = migrationPaths(stateDir);
  const access = { passwordFile: null, sentinelPasswordFile: null, ca: null };
  const source = {
    url: 'redis://127.0.0.1:1',
    ...access,
    dbs: [],
    prefix: '',
    match: [],
    types: [],
    owned: [],
  };
  await writePlan(paths, {
    ...{ version: 1, id: 'abcdefgh', createdMs: 0, method, sources: [source] },
    ...{ target: { url: 'redis://127.0.0.1:1', passwordFile: null, ca: null } },
    ...{ onConflict: 'fail', maxRate: 0, maxLag: null, isAlone: true },
  });
  await writeProgress(paths, {
    ...{ version: 1, phase, pid: 1, writtenMs: 1, failure: null, gates: [], sources: [] },
    ...{ change: null, isMoved: false, notMoved: [] },
    ...{ back: null, oldSide: null, notFollowed: null },
  });
  const options = { stateDir, repair: true, limit: 100 };
  return await verifyMigration(createOutput(true, false), '.migration', options).catch(errorCode);
}

test('by replication nothing is repaired: what follows would be applied to it a second time', async () => {
  for (const phase of ['running', 'paused', 'stopped', 'failed', 'cut-over'] as const)
    expect(await repaired('replication', phase), phase).toBe('BAD_OPTION');
});

test('by scan a repair is refused behind the cut-over only', async () => {
  expect(await repaired('scan', 'cut-over')).toBe('BAD_OPTION');
  expect(await repaired('scan', 'running')).toBe('REDIS_UNREACHABLE');
});
