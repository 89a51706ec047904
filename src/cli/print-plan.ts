/** What an apply to hosts would do, for people. */
import { shownValue } from '../agent/settings/shown-value.ts';
import type { HostFinding } from '../fleet/act/check-hosts.ts';
import { describeStep, isEmpty, type Plan, type TurnStep } from '../fleet/plan/steps.ts';
import { describeAddress } from '../fleet/plan/virtual-address.ts';
import type { Output } from './output.ts';

/** @param isNothing nothing else is to be done either. What several hosts have in common is said once. */
export function printPlan(
  output: Output,
  plan: Plan,
  findings: readonly HostFinding[],
  isNothing: boolean,
): void {
  const { bold, yellow, red } = output.colors;
  for (const blocks of [true, false]) {
    const word = blocks ? red('critical:') : yellow('warning:');
    const told = findings.filter((each) => each.blocks === blocks);
    for (const [sentence, hosts] of byText(told, sentenceOf))
      output.note(`${word} ${hosts.join(', ')}: ${sentence}`);
  }
  if (isEmpty(plan)) {
    if (isNothing) output.line('Nothing to do: every host is as the spec says.');
    return;
  }
  for (const [text, hosts] of byText(plan.prepare, ({ steps }) => steps.flatMap(describeStep).join('\n'))) {
    if (text === '') continue;
    output.line(bold(hostWords(hosts)));
    for (const line of text.split('\n')) output.line(`  ${line}`);
  }
  for (const [index, { hosts, steps }] of plan.turns.entries()) {
    const order = plan.turns.length > 1 ? `${index + 1}. ` : '';
    output.line(bold(`${order}${hosts.length > 1 ? '' : 'then '}${hostWords(hosts)}`));
    for (const line of steps.map(forPeople).flatMap(describeStep)) output.line(`  ${line}`);
  }
  for (const step of plan.addresses) output.line(describeAddress(step));
  for (const notice of plan.notices) output.line(notice);
}

function sentenceOf({ found, fix }: HostFinding): string {
  return `${found}${fix === undefined ? '' : `. ${fix}`}`;
}

/** The hosts of each text, in the order in which they come. */
function byText<T extends { host: string }>(
  all: readonly T[],
  textOf: (each: T) => string,
): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const each of all) {
    const text = textOf(each);
    found.set(text, [...(found.get(text) ?? []), each.host]);
  }
  return found;
}

function hostWords(hosts: readonly string[]): string {
  return `${hosts.length > 1 ? 'hosts' : 'host'} ${hosts.join(', ')}`;
}

function forPeople(step: TurnStep): TurnStep {
  if (step.kind !== 'settings' || step.changes === null) return step;
  const changes = step.changes.map((change) => ({
    ...change,
    from: shownValue(change.what, change.from),
    to: shownValue(change.what, change.to),
  }));
  return { ...step, changes };
}
