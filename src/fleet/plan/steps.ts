import type { Packages } from './packages.ts';
import type { AddressStep } from './virtual-address.ts';
import type { WantedFile } from './wanted.ts';

/** What is done to a host before anything that runs there is touched. */
export type PrepareStep =
  | ({ kind: 'packages' } & Packages)
  | { kind: 'user'; name: string }
  | { kind: 'holdfast'; build: string; from: string | null }
  | { kind: 'relink'; build: string; from: string | null }
  | { kind: 'secret' }
  | { kind: 'file'; file: WantedFile; change: 'new' | 'text' | 'rights'; diff: readonly string[] }
  | { kind: 'remove'; paths: readonly string[] }
  | { kind: 'kernel' };

/** What is done to what runs: on one host at a time, but for the first start. */
export type TurnStep =
  | { kind: 'start' }
  | { kind: 'reload'; from: string | null; places: readonly SettingChange[] }
  | { kind: 'hand-over' }
  | { kind: 'settings'; changes: readonly SettingChange[] | null }
  | { kind: 'restart'; processes: readonly string[] };

/** As the agent's own apply says it. */
export interface SettingChange {
  where: string;
  what: string;
  from: string;
  to: string;
  takes: 'now' | 'restart' | 'down-and-up';
}

/** Where a process is that the spec does not place, in the agent's words. */
export const nowhere = 'nowhere';

export interface Turn {
  hosts: readonly string[];
  steps: readonly TurnStep[];
}

export interface Plan {
  prepare: readonly { host: string; steps: readonly PrepareStep[] }[];
  turns: readonly Turn[];
  /** When everything else is healthy: who takes part in who has the virtual address. */
  addresses: readonly AddressStep[];
  /** What clients will notice, one sentence each. */
  notices: readonly string[];
}

export function isEmpty({ prepare, turns, addresses }: Plan): boolean {
  return turns.length === 0 && addresses.length === 0 && prepare.every(({ steps }) => steps.length === 0);
}

/** One line, and the lines of a difference below it. */
export function describeStep(step: PrepareStep | TurnStep): string[] {
  switch (step.kind) {
    case 'packages':
      return [`install ${step.packages.join(', ')} with ${step.manager}${insteadWords(step)}`];
    case 'user':
      return [`make the user ${step.name}`];
    case 'holdfast':
      return [`install holdfast ${step.build}${step.from === null ? '' : ` (now ${step.from})`}`];
    case 'relink':
      return [`go back to holdfast ${step.build}${step.from === null ? '' : ` (now ${step.from})`}`];
    case 'secret':
      return ["put the deployment's secret there, mode 0600"];
    case 'file':
      return describeFile(step);
    case 'remove':
      return step.paths.map((path) => `remove ${path}`);
    case 'kernel':
      return ['load the kernel settings'];
    case 'start':
      return ['start the agent, and with it what the spec places there'];
    case 'reload':
      return [
        'start the agent anew; it adopts what runs',
        ...step.places.map(({ where, from, to }) => `  ${where}: ${from} → ${to}`),
      ];
    case 'hand-over':
      return ['move the primary to another host: a server may cut clients off when its users change'];
    case 'settings':
      return step.changes === null
        ? ['bring the new spec to the agent']
        : step.changes.map(({ where, what, from, to, takes }) => {
            const when = takes === 'now' ? 'while it runs' : 'with a restart';
            return `${where}: ${what} ${from} → ${to}, ${when}`;
          });
    case 'restart':
      return [
        `restart ${step.processes.join(', ')}${step.processes.length > 1 ? ', one after the other' : ''}`,
      ];
  }
}

function insteadWords({ instead }: Packages): string {
  return instead === null ? '' : `, or ${instead} where there is no redis`;
}

function describeFile({ file, change, diff }: Extract<PrepareStep, { kind: 'file' }>): string[] {
  const rights = `mode ${file.mode}, ${file.owner}`;
  if (change === 'new') return [`write ${file.path}, ${rights}`];
  if (change === 'rights') return [`${file.path}: ${rights}`];
  return [`change ${file.path}`, ...diff.map((line) => `  ${line}`)];
}
