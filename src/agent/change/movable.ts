/** What a planned change of primary acts on. */
import type { MemberClient } from '../../redis/member-client.ts';
import type { Spec } from '../../spec/spec.ts';
import type { Asked } from '../election/ask-sentinel.ts';
import type { ElectionWatch } from '../election/election-watch.ts';
import type { Realm, Server } from '../election/take-over.ts';
import type { MemberObservation } from '../observe/member-watch.ts';
import type { Observer } from '../observe/observer.ts';
import type { Operation } from '../operations.ts';
import type { GateAdapter } from '../units/gate-adapter.ts';
import type { Report } from './change-context.ts';
import type { FollowSetting } from './following.ts';

export interface Mover extends Server {
  readonly watch: Server['watch'] & {
    readonly seen: Pick<MemberObservation, 'reachable' | 'priority' | 'offset' | 'runId'>;
    readonly client: Pick<
      MemberClient,
      'role' | 'replicaOf' | 'following' | 'pauseWrites' | 'roleInPause' | 'unpauseWrites' | 'unpauseReplaced'
    >;
  };
}

/** What a switchover needs of a deployment. */
export interface Movable extends Realm, Asked {
  readonly elections: Realm['elections'] &
    Asked['elections'] &
    Pick<ElectionWatch, 'replacedWithin' | 'noteNamed'>;
  readonly sentinels: readonly (Realm['sentinels'][number] & Asked['sentinels'][number])[];
  readonly members: readonly Mover[];
  readonly setting: Realm['setting'] & FollowSetting;
  readonly spec: Realm['spec'] & { redis: Pick<Spec['redis'], 'minReplicasToWrite'> };
  readonly gates: readonly {
    unit: { process: { running: boolean } } | null;
    adapter: Pick<GateAdapter, 'hold' | 'release' | 'switchTo'>;
  }[];
  member(id: string): Mover;
}

/** What a switchover acts on, and the token under which it does. */
export interface SwitchoverContext {
  deployment: Movable;
  observer: Pick<Observer, 'lookAtAll' | 'lookWithin'>;
  report: Report;
  operation: Pick<Operation, 'signal' | 'rest' | 'unattended'>;
}
