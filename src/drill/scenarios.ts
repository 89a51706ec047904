import type { Scenario } from './scenario.ts';
import { agentAndPrimaryCrash } from './scenarios/agent-and-primary-crash.ts';
import { agentCrashesInFailover } from './scenarios/agent-crash-in-failover.ts';
import { allCrash } from './scenarios/all-crash.ts';
import { emptyPrimary } from './scenarios/empty-primary.ts';
import { gateCrash } from './scenarios/gate-crash.ts';
import { hostLost } from './scenarios/host-lost.ts';
import { partition, partitionBetweenTwo, partitionOneWay, replicaCutOff } from './scenarios/partition.ts';
import { primaryCrash } from './scenarios/primary-crash.ts';
import { primaryHang } from './scenarios/primary-hang.ts';
import { replicaCrash } from './scenarios/replica-crash.ts';
import { rollingRestart } from './scenarios/rolling-restart.ts';
import { sentinelCrash } from './scenarios/sentinel-crash.ts';
import { slowCommand } from './scenarios/slow-command.ts';
import {
  mirrorLeadCrash,
  mirrorMemberCrash,
  mirrorReturn,
  mirrorSplit,
} from './scenarios/standalone-members.ts';
import { stoppedProcess } from './scenarios/stopped-process.ts';
import { switchoverDrill } from './scenarios/switchover.ts';
import { twoOfThree } from './scenarios/two-of-three.ts';

/** Every scenario, in the order in which `drill all` runs those that it runs. */
export const scenarios: readonly Scenario[] = [
  replicaCrash,
  primaryCrash,
  primaryHang,
  slowCommand,
  stoppedProcess,
  twoOfThree,
  sentinelCrash,
  gateCrash,
  allCrash,
  emptyPrimary,
  switchoverDrill,
  rollingRestart,
  hostLost,
  partition,
  partitionOneWay,
  partitionBetweenTwo,
  replicaCutOff,
  agentAndPrimaryCrash,
  mirrorLeadCrash,
  mirrorMemberCrash,
  mirrorSplit,
  mirrorReturn,
  ...agentCrashesInFailover,
];
