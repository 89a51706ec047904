import { expect, test } from 'vitest';
import { parseSpec } from '../../spec/parse.ts';
import { kernelPath } from '../facts/facts-script.ts';
import type { HostFacts } from '../facts/host-facts.ts';
import type { PrepareStep } from '../plan/steps.ts';
import { hugePagesUnitName, sysctlFile } from '../plan/wanted.ts';
import { checkHost } from './check-hosts.ts';

const spec = parseSpec('name: orders', 'holdfast.yaml');
const facts = {
  host: 'a',
  agent: null,
  commands: [],
  freeStateBytes: 1e12,
  machineFiles: new Map([
    [kernelPath('vm.overcommit_memory'), '0'],
    ['/sys/kernel/mm/transparent_hugepage/enabled', '[always] madvise never'],
  ]),
} as unknown as HostFacts;

const writes = (path: string): PrepareStep => {
  const file = { path, text: '', mode: '644', owner: 'root:root', secret: false };
  return { kind: 'file', file, change: 'new', diff: [] };
};
const mended = ['overcommit-memory', 'huge-pages'];
const toldWith = (...steps: PrepareStep[]) =>
  checkHost(spec, facts, steps, 0).flatMap(({ id }) => (mended.includes(id) ? [id] : []));

test('what apply is about to mend is not told as though somebody had to', () => {
  expect(toldWith()).toEqual(mended);
  expect(toldWith(writes(sysctlFile), { kind: 'kernel' })).toEqual(['huge-pages']);
  expect(toldWith(writes(`/etc/systemd/system/${hugePagesUnitName}`))).toEqual(['overcommit-memory']);
});

test('a file of kernel settings that is not loaded mends nothing', () => {
  expect(toldWith(writes(sysctlFile))).toEqual(mended);
  expect(checkHost(spec, facts, [], 0).some(({ blocks }) => blocks)).toBe(false);
});
