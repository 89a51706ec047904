/** Taking over what runs on this host: looked at and planned first, then done. No agent runs meanwhile. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readFileIfThere } from '../../base/atomic-file.ts';
import { systemClock } from '../../base/clock.ts';
import { currentTls } from '../../redis/tls.ts';
import {
  deriveSecrets,
  loadSecrets,
  newSecret,
  readPasswords,
  readSecret,
  type Secrets,
} from '../../spec/secrets.ts';
import type { Spec } from '../../spec/spec.ts';
import type { Report } from '../change/change-context.ts';
import { runIdMarks } from '../election/run-ids.ts';
import { offlineSetting } from '../offline-setting.ts';
import { checkStateDir } from '../preflight.ts';
import { hasAclSelectors, type ServerProgram } from '../server-program.ts';
import type { ServerSettings } from '../settings/compare-settings.ts';
import { ExpectedSettings } from '../settings/expected-settings.ts';
import { EventLog } from '../state/event-log.ts';
import { makeFirstSecret } from '../state/first-secret.ts';
import { type StatePaths, statePaths } from '../state/paths.ts';
import { takeLock } from '../state/state-lock.ts';
import { claimState } from '../state/state-owner.ts';
import { Unit } from '../units/unit.ts';
import { takeOver } from './carry-out.ts';
import type { AdoptionFacts } from './facts.ts';
import { letUsersIn } from './let-users-in.ts';
import { type AdoptionPlan, planAdoption } from './plan.ts';
import { type Access, survey } from './survey.ts';

export interface Adoption {
  spec: Spec;
  host: string;
  paths: StatePaths;
  access: Pick<Access, 'servers' | 'sentinels'>;
  server: ServerProgram;
  /** Whoever asks says that nothing starts these processes again. */
  keepersOff: boolean;
}

/** Changes nothing, here or at the servers. */
export async function lookAtWhatRuns(
  adoption: Adoption,
): Promise<{ facts: AdoptionFacts; plan: AdoptionPlan }> {
  const { spec, host, paths, access, server, keepersOff } = adoption;
  const secret = await secretSoFar(adoption);
  const wanted = await wantedSettings(adoption, secret);
  const tls = await currentTls(spec.security.tls);
  const replicationDigest = digestOfReplication(spec, secret);
  const input = { spec, host, paths, engine: server.version, wanted, replicationDigest };
  const ownSentinels = ownSentinelAccess(secret === null ? null : deriveSecrets(spec, secret, {}));
  const facts = await survey({ ...input, access: { ...access, ownSentinels, tls } });
  return { facts, plan: planAdoption(spec, host, facts, { keepersOff }) };
}

/**
 * @param facts of a plan without refusals.
 * @param only `users`: nothing but that servers and Sentinels let holdfast's users in, which nobody is yet.
 * @throws ALREADY_RUNS, ADOPT_REFUSED, and what servers say
 */
export async function takeOverWhatRuns(
  { spec, host, paths, access, server }: Adoption,
  facts: AdoptionFacts,
  report: Report,
  only: 'users' | null = null,
): Promise<void> {
  await checkStateDir(paths.root);
  const release = await takeLock(paths.agentRecord);
  try {
    await claimState(paths, spec.name);
    const engine = { redisServer: server.program, aclSelectors: hasAclSelectors(server.version) };
    await makeFirstSecret(spec, paths);
    const setting = await offlineSetting(spec, host, paths, await loadSecrets(spec, paths.secret), engine);
    const ownSentinels = ownSentinelAccess(setting.secrets);
    const work = { setting, facts, access: { ...access, ownSentinels, tls: setting.tls }, report };
    await letUsersIn(work);
    if (only === null) await takeOver(work);
  } finally {
    await release();
  }
}

function ownSentinelAccess(secrets: Secrets | null): Access['ownSentinels'] {
  const password = secrets?.sentinelPassword ?? null;
  return password === null ? undefined : { username: '', password };
}

/** Null before there is one: the first start, or the first taking over, makes it. */
async function secretSoFar({ spec, paths }: Adoption): Promise<string | null> {
  const { secret } = spec.security;
  if (secret !== null) return readSecret(secret, 'security.secret', process.env);
  return (await readFileIfThere(paths.secret))?.trim() || null;
}

function digestOfReplication(spec: Spec, secret: string | null): string | null {
  if (secret === null) return null;
  const { own } = deriveSecrets(spec, secret, {});
  return `#${createHash('sha256').update(own.replication).digest('hex')}`;
}

/** By the engine that would start them. */
async function wantedSettings(
  { spec, host, server }: Adoption,
  secret: string | null,
): Promise<ServerSettings> {
  const { users, former } = readPasswords(spec, process.env);
  const root = await mkdtemp(path.join(tmpdir(), 'hf-adopt-'));
  const paths = statePaths(root);
  // They differ in nothing that is compared.
  const place = spec.members.find((member) => member.host === host) ?? spec.members[0];
  try {
    if (place === undefined) return { config: {}, users: [] };
    const setting = {
      ...{ spec, host, paths, specFile: '', haproxy: null, clock: systemClock, tls: undefined },
      secrets: deriveSecrets(spec, secret ?? newSecret(), users, former),
      redisServer: server.program,
      aclSelectors: hasAclSelectors(server.version),
      events: new EventLog(paths.events, systemClock),
      runIdMarks: runIdMarks(host, '', undefined),
    };
    const unit = new Unit(place.id, paths.member(place.id), systemClock);
    return await new ExpectedSettings().of(setting, { place, unit });
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}
