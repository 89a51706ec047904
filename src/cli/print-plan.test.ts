import { expect, test } from 'vitest';
import type { HostFinding } from '../fleet/act/check-hosts.ts';
import type { Plan } from '../fleet/plan/steps.ts';
import { createColors } from './colors.ts';
import type { Output } from './output.ts';
import { printPlan } from './print-plan.ts';

function shownOf(plan: Plan, findings: readonly HostFinding[] = []): string[] {
  const lines: string[] = [];
  const say = (text: string) => lines.push(text);
  printPlan({ colors: createColors(false), line: say, note: say } as unknown as Output, plan, findings, true);
  return lines;
}
const nothing: Plan = { prepare: [], turns: [], addresses: [], notices: [] };

test('what is the same on several hosts is said once, of many hosts too', () => {
  const user = { kind: 'user', name: 'holdfast' } as const;
  const many = Array.from({ length: 100 }, (_, index) => ({ host: `h${index}`, steps: [user] }));
  const prepare = [
    { host: 'a', steps: [user] },
    { host: 'b', steps: [user, { kind: 'secret' }] as const },
    { host: 'c', steps: [user] },
    { host: 'd', steps: [] },
  ];
  expect(shownOf({ ...nothing, prepare })).toEqual([
    'hosts a, c',
    '  make the user holdfast',
    'host b',
    '  make the user holdfast',
    "  put the deployment's secret there, mode 0600",
  ]);
  expect(shownOf({ ...nothing, prepare: many })).toHaveLength(2);
});

test('a finding names its hosts, apart where it stands in the way and where it does not; critical first', () => {
  const finding = (host: string, blocks: boolean) => {
    return { host, id: 'disk', found: 'the disk is full', fix: 'Make room', blocks };
  };
  const told = shownOf(nothing, [finding('a', false), finding('b', true), finding('c', false)]);
  expect(told).toEqual([
    'critical: b: the disk is full. Make room',
    'warning: a, c: the disk is full. Make room',
    'Nothing to do: every host is as the spec says.',
  ]);
});
