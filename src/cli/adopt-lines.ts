/** What `adopt` is about to do, for people. Pure. */
import type { AdoptionPlan } from '../agent/adopt/plan.ts';
import type { Refusal } from '../agent/adopt/refusal.ts';
import { AdoptRefused } from '../agent/errors.ts';
import type { SettingDifference } from '../agent/settings/compare-settings.ts';
import { shownValue } from '../agent/settings/shown-value.ts';
import type { Output } from './output.ts';
import { table } from './table.ts';

export function planLines({ takes, starts, others, primary }: AdoptionPlan): string[] {
  const rows = [
    ...takes.map(({ id, address, port, pid, role, folder, begun }) => [
      id,
      `${address}:${port}`,
      begun ? 'was begun with' : 'is taken over',
      [
        `pid ${pid}`,
        ...(role === null ? [] : [role]),
        ...(folder === null ? [] : [`its data stays in ${folder}`]),
      ].join(', '),
    ]),
    ...starts.map(({ id, address, port, kind }) => [
      id,
      `${address}:${port}`,
      'is started',
      kind === 'member' ? `a replica, which copies ${primary ?? 'the primary'}` : '',
    ]),
  ];
  const now = takes.flatMap(({ id, now: settings }) => settingRows(id, settings));
  const later = takes.flatMap(({ id, waiting }) => settingRows(id, waiting));
  return [
    ...table(rows),
    ...(takes.length + others.length === 0
      ? []
      : ["Servers get holdfast's users beside those that they have."]),
    ...(others.length === 0 ? [] : [`Those of other hosts too: ${others.join(', ')}.`]),
    ...(now.length === 0 ? [] : ['Set while they run:', ...indented(table(now))]),
    ...(later.length === 0 ? [] : ['Set when they are started the next time:', ...indented(table(later))]),
  ];
}

export function refusalLine({ colors }: Output, { where, what, fix }: Refusal): string {
  return `${colors.red('not yet:')} ${where}: ${what}. ${colors.cyan(fix)}`;
}

/** On a terminal they stand above already. @param hint what was changed, and how to look again */
export function refusedFor(refusals: readonly Refusal[], asJson: boolean, hint: string): Error {
  const count = refusals.length === 1 ? 'something speaks' : `${refusals.length} things speak`;
  const all = refusals.map(({ where, what, fix }) => `${where}: ${what}. ${fix}`).join(' · ');
  return AdoptRefused(`nothing was taken over: ${count} against it${asJson ? `: ${all}` : ''}`, { hint });
}

function settingRows(id: string, settings: readonly SettingDifference[]): string[][] {
  return settings.map(({ name, running, wanted }) => [
    id,
    name,
    shownValue(name, running),
    '→',
    shownValue(name, wanted),
  ]);
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}
