/** Taking over what runs on this host: looked at and planned first, then done. No agent runs meanwhile. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { systemClock } from '../../base/clock.ts';
import { deriveSecrets, readPasswords } from '../../spec/secrets.ts';
import type { Spec } from '../../spec/spec.ts';
import type { Report } from '../change/change-context.ts';
import { runIdMarks } from '../election/run-ids.ts';
import { offlineSetting } from '../offline-setting.ts';
import { checkStateDir } from '../preflight.ts';
import { hasAclSelectors, type ServerProgram } from '../server-program.ts';
import type { ServerSettings } from '../settings/compare-settings.ts';
import { ExpectedSettings } from '../settings/expected-settings.ts';
import { EventLog } from '../state/event-log.ts';
import { type StatePaths, statePaths } from '../state/paths.ts';
import { takeLock } from '../state/state-lock.ts';
import { claimState } from '../state/state-owner.ts';
import { Unit } from '../units/unit.ts';
import { takeOver } from './carry-out.ts';
import type { AdoptionFacts } from './facts.ts';
import { type AdoptionPlan, planAdoption } from './plan.ts';
import { type Access, survey } from './survey.ts';

export interface Adoption {
  spec: Spec;
  host: string;
  paths: StatePaths;
  access: Access;
  server: ServerProgram;
  /** Whoever asks says that nothing starts these processes again. */
  keepersOff: boolean;
}

/** Changes nothing, here or at the servers. */
export async function lookAtWhatRuns(
  adoption: Adoption,
): Promise<{ facts: AdoptionFacts; plan: AdoptionPlan }> {
  const { spec, host, paths, access, server, keepersOff } = adoption;
  const wanted = await wantedSettings(adoption);
  const facts = await survey({ spec, host, paths, access, engine: server.version, wanted });
  return { facts, plan: planAdoption(spec, host, facts, { keepersOff }) };
}

/** @param facts of a plan without refusals. @throws ALREADY_RUNS, ADOPT_REFUSED, and what servers say */
export async function takeOverWhatRuns(
  { spec, host, paths, access, server }: Adoption,
  facts: AdoptionFacts,
  report: Report,
): Promise<void> {
  await checkStateDir(paths.root);
  const release = await takeLock(paths.agentRecord);
  try {
    await claimState(paths, spec.name);
    const engine = { redisServer: server.program, aclSelectors: hasAclSelectors(server.version) };
    await takeOver(await offlineSetting(spec, host, paths, engine), facts, access, report);
  } finally {
    await release();
  }
}

/** By the engine that would start them. Passwords of holdfast's own users do not matter for it. */
async function wantedSettings({ spec, host, server }: Adoption): Promise<ServerSettings> {
  const { users, former } = readPasswords(spec, process.env);
  const root = await mkdtemp(path.join(tmpdir(), 'hf-adopt-'));
  const paths = statePaths(root);
  const [place] = spec.members.filter((member) => member.host === host);
  try {
    if (place === undefined) return { config: {}, users: [] };
    const setting = {
      ...{ spec, host, paths, specFile: '', haproxy: null, clock: systemClock, tls: undefined },
      secrets: deriveSecrets(spec, randomBytes(32).toString('base64url'), users, former),
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
