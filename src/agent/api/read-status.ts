/**
 * The status as an agent answers it. While a deployment is upgraded that agent may be of a release before this one: of what
 * it does not say nothing is known, and what it does say is shown. Pure.
 */
import type { BackupStatus } from '../backups/backup-schedule.ts';
import type { MirrorStatus } from '../mirrors/mirror-keeper.ts';
import type { GateStatusLine, MemberStatus, SentinelStatus, Status } from './status-answer.ts';

const unsaid = { reason: null, stateForMs: null, pid: null } as const;
const unseen = { ...unsaid, seenAgeMs: null } as const;
const blankMember = {
  ...{ ...unseen, role: null, offset: 0, lagBytes: null, linkUp: false, eligible: null, restarts: 0 },
} as const;
const blankSentinel = { ...unseen, primary: null } as const;
const blankGate = { ...unsaid, replicaPort: null, clients: 0 } as const;
const blankBackup: BackupStatus = {
  ...{ lastGoodId: null, lastGoodAt: null, ageMs: null, nextAt: null, lastError: null },
  ...{ lastVerifiedAt: null, lastVerifiedGood: null, running: false, unread: false },
};
const blankMirror = {
  ...{ host: null, keys: 0, bytes: 0, totalBytes: null, bytesPerSecond: 0, secondsLeft: null },
  ...{ lagBytes: null, lagSeconds: null, queueBytes: null, queueSeconds: null, problem: null, trouble: null },
} as const;

export function readStatus(answer: unknown): Status {
  const said = answer as Status & Partial<Status>;
  return {
    ...{
      problems: [],
      beside: [],
      primary: null,
      epoch: 0,
      paused: false,
      operation: null,
      drift: [],
      requestMirrors: [],
    },
    ...said,
    members: filled<MemberStatus>(said.members, blankMember),
    sentinels: filled<SentinelStatus>(said.sentinels, blankSentinel),
    gates: filled<GateStatusLine>(said.gates, blankGate),
    backup: said.backup == null ? null : { ...blankBackup, ...said.backup },
    mirrors: filled<MirrorStatus>(said.mirrors, blankMirror),
  };
}

function filled<T>(said: readonly T[] | undefined, blank: Partial<T>): T[] {
  return (said ?? []).map((each) => ({ ...blank, ...each }));
}
