import type { Check } from './check.ts';
import { agreement } from './deployment/agreement.ts';
import { appendOnlyFile } from './deployment/append-only-file.ts';
import { backlog } from './deployment/backlog.ts';
import { backups } from './deployment/backups.ts';
import { certificates } from './deployment/certificates.ts';
import { clocks } from './deployment/clocks.ts';
import { dangerousCommands } from './deployment/dangerous-commands.ts';
import { drift } from './deployment/drift.ts';
import { exposure } from './deployment/exposure.ts';
import type { DeploymentFacts } from './deployment/facts.ts';
import { haproxyTimeouts } from './deployment/haproxy-timeouts.ts';
import { helloPublishers } from './deployment/hello-channel.ts';
import { lastSave } from './deployment/last-save.ts';
import { maxMemory } from './deployment/max-memory.ts';
import { passwords } from './deployment/passwords.ts';
import { quorum } from './deployment/quorum.ts';
import { reachable } from './deployment/reachable.ts';
import { replication } from './deployment/replication.ts';
import { savePoints } from './deployment/save-points.ts';
import { spread } from './deployment/spread.ts';
import { tilt } from './deployment/tilt.ts';
import { version } from './deployment/version.ts';

export const deploymentChecks: readonly Check<DeploymentFacts>[] = [
  reachable,
  quorum,
  agreement,
  tilt,
  spread,
  replication,
  backlog,
  maxMemory,
  savePoints,
  appendOnlyFile,
  lastSave,
  passwords,
  dangerousCommands,
  helloPublishers,
  exposure,
  drift,
  version,
  haproxyTimeouts,
  certificates,
  clocks,
  backups,
];
