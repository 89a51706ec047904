/** Puts a Deployment together from its setting: a watch for everything, a process for what runs on this host. */

import { errorText } from '../base/errors.ts';
import { makeFolder } from '../base/make-folder.ts';
import { damageIn } from '../process/server-log.ts';
import { lastLogLines } from '../process/supervised-process.ts';
import type { ConnectionOptions } from '../redis/connection.ts';
import type { Credentials, Endpoint } from '../redis/endpoint.ts';
import { ownUserName } from '../spec/secrets.ts';
import type { Place } from '../spec/spec.ts';
import { StandaloneClient } from '../stream/standalone-client.ts';
import { isUsableEpoch } from '../topology/election/epoch.ts';
import { makeSocketFolder } from './api/socket-folder.ts';
import { Deployment, type Setting } from './deployment.ts';
import { DataWatch } from './observe/data-watch.ts';
import { MemberWatch } from './observe/member-watch.ts';
import { noteSentinelEvent, observePaceMs } from './observe/observer.ts';
import { SentinelWatch } from './observe/sentinel-observer.ts';
import { HeldBack } from './state/held-back.ts';
import { MemoryFile, memoryOf } from './state/memory-file.ts';
import type { UnitPaths } from './state/paths.ts';
import { endpointHere } from './state/taken-over.ts';
import { createGateAdapter } from './units/create-gate-adapter.ts';
import { Unit } from './units/unit.ts';
import { noteEpochs } from './units/unusable-epoch.ts';

export async function assemble(setting: Setting): Promise<Deployment> {
  const { spec, secrets, clock, tls } = setting;
  const deployment = new Deployment(setting);
  const agent: Credentials = { username: ownUserName('agent'), password: secrets.own.agent };
  const { sentinelPassword } = secrets;
  const onSentinels =
    sentinelPassword === null ? undefined : { username: 'default', password: sentinelPassword };
  const paceMs = observePaceMs(spec.agent.hangAfterMs);
  for (const place of spec.members) {
    const unit = await unitHere(setting, place, setting.paths.member(place.id));
    const endpoint: Endpoint = unit
      ? endpointHere(unit.paths, place)
      : { host: place.address, port: place.port };
    const openMember = (options: ConnectionOptions) =>
      new StandaloneClient(options, ownUserName('replication'), place);
    const watch = new MemberWatch(
      { endpoint, credentials: agent, timeoutMs: paceMs, tls },
      clock,
      spec.mirror === null ? undefined : openMember,
    );
    const memory = unit ? new MemoryFile(unit.paths.memory, clock) : null;
    await memory?.load();
    if (memory?.damage) noteDamage(deployment, place.id, memory.damage);
    const disk = unit ? new DataWatch(unit.paths) : null;
    const heldBack = unit ? new HeldBack(unit.paths.heldBack) : null;
    if (unit) watchForDeath(deployment, unit, watch, disk);
    else watchForSilence(deployment, watch);
    deployment.addMember({ place, unit, watch, memory, heldBack, disk });
  }
  for (const place of spec.sentinels) {
    const unit = await unitHere(setting, place, setting.paths.sentinel(place.id));
    const endpoint = { host: place.address, port: place.port };
    const watch = new SentinelWatch(
      spec.name,
      { endpoint, credentials: onSentinels, tls },
      clock,
      (event) => {
        const election = deployment.elections.heard({ place, watch }, event, spec.name);
        const news = noteSentinelEvent(deployment, place.id, event);
        deployment.heardSentinel(event);
        if (event.name === '+new-epoch' && !isUsableEpoch(Number(event.message))) void noteEpochs(deployment);
        if (election || news) deployment.wake();
      },
    );
    if (unit) watchForDeath(deployment, unit);
    deployment.addSentinel({ place, unit, watch });
  }
  for (const place of spec.gates) {
    const unit = await unitHere(setting, place, setting.paths.gate(place.id));
    if (unit) watchForDeath(deployment, unit);
    deployment.addGate({ place, unit, adapter: createGateAdapter(deployment, place, unit, tls) });
  }
  await deployment.pause.load();
  return deployment;
}

function noteDamage(deployment: Deployment, id: string, damage: Error): void {
  deployment.troubles.note(memoryOf(id), errorText(damage));
  deployment.events.add('state-damaged', id, errorText(damage));
}

async function unitHere(setting: Setting, place: Place, paths: UnitPaths): Promise<Unit | null> {
  if (place.host !== setting.host) return null;
  await makeFolder(paths.folder, 0o700);
  await makeSocketFolder(paths.socket);
  return new Unit(place.id, paths, setting.clock);
}

/** When a process of another host dies, the kernel there closes its connections: a reason to look at once. */
function watchForSilence(deployment: Deployment, watch: MemberWatch): void {
  watch.client.connection.onClose(() => {
    if (watch.seen.reachable) void watch.look().then(() => deployment.wake());
  });
}

function watchForDeath(
  deployment: Deployment,
  unit: Unit,
  watch?: MemberWatch,
  disk: DataWatch | null = null,
): void {
  // The kernel closes a dead process's sockets at once: the quickest word of the death of one that isn't our child.
  watch?.client.connection.onClose(() => unit.process.checkNow());
  unit.process.onExit(({ code, signal }) => {
    watch?.reset();
    disk?.forget();
    if (!unit.wanted) return;
    unit.noteDeath();
    const how = signal ? `was killed by ${signal}` : code === null ? 'died' : `ended with status ${code}`;
    deployment.events.add('exited', unit.id, `${unit.id} ${how}`);
    deployment.wake();
    // To stand for election needs no disk; to start it again does.
    void disk?.look().then(() => deployment.wake());
    // After that: a failover has no time for logs, and the process is started again a good while later.
    if (!watch || signal !== null) return;
    const log = lastLogLines(unit.paths.log, logLines);
    const damage = damageIn(log);
    unit.noteDamage(damage);
    const last = log.at(-1)?.trim().slice(0, longestText) ?? '';
    if (code && damage === null && last !== '')
      deployment.events.add('hint', unit.id, `the log of ${unit.id} ends with: ${last}`);
  });
}

/** What a server says between its start and its end when it can't load its data. */
const logLines = 100;
/** Of what a log says, as it is shown. */
const longestText = 200;
