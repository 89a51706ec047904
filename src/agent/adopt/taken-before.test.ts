import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { identify } from '../../process/identity.ts';
import { parseSpec } from '../../spec/parse.ts';
import { type StatePaths, statePaths, type UnitPaths } from '../state/paths.ts';
import { markTakenOver } from '../state/taken-over.ts';
import { isAllTakenOver, startedBefore } from './taken-before.ts';

const spec = parseSpec('name: orders\nredis: { members: 3 }\n', 'x.yaml');
let root: string;
let paths: StatePaths;

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'hf-'));
  paths = statePaths(root);
});
afterEach(() => rmSync(root, { recursive: true }));

/** As if this very process were it. */
function record({ folder, record: file }: UnitPaths, startTime = identify(process.pid)?.startTime): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, JSON.stringify({ pid: process.pid, startTime }));
}

test('what holdfast started is known by its records; what it took over, or what has ended, is not that', async () => {
  expect(startedBefore(spec, 'local', paths)).toEqual([]);
  record(paths.member('redis-1'));
  const { pid, startTime } = identify(process.pid)!;
  await markTakenOver(paths.member('redis-1'), { pid, startTime, address: '127.0.0.1', port: 7001 });
  record(paths.member('redis-2'), '1');
  record(paths.sentinel('sentinel-3'));
  record(paths.gate('gate-1'));
  expect(startedBefore(spec, 'local', paths)).toEqual(['sentinel-3', 'gate-1']);
  expect(startedBefore(spec, 'elsewhere', paths)).toEqual([]);
});

const [one, two] = [spec.members[0]!, spec.members[1]!];
const nobody = { place: two, running: null, problem: null };
const running = (taken: boolean) => ({ place: one, running: { taken } as never, problem: null });
test.each([
  ['its gate was started beside what was taken over', running(true), nobody, ['gate-1'], true],
  ['one that was started does not let us in', running(true), { ...nobody, problem: 'x' }, ['redis-2'], true],
  ['nothing was started yet', running(true), nobody, [], false],
  ['a server is nobody’s yet', running(false), nobody, ['gate-1'], false],
  ['a server can’t be asked', running(true), { ...nobody, problem: 'x' }, ['gate-1'], false],
])('%s', (_what, first, second, started, expected) => {
  expect(isAllTakenOver({ host: 'local', members: [first, second], sentinels: [], started })).toBe(expected);
});
