/** Drills one after the other: scenarios, repeated, on rigs of their own, holdfast's and perhaps a plain one. */
import { randomUUID } from 'node:crypto';
import { HoldfastRig } from '../rig/holdfast-rig.ts';
import { whyNoNetworkHosts } from '../rig/network-hosts.ts';
import { PlainRig } from '../rig/plain-rig.ts';
import type { Rig, RigSettings } from '../rig/rig.ts';
import { type DrillRun, runDrill } from './run.ts';
import type { DrillSettings, Scenario } from './scenario.ts';

/** A scenario with its runs on one kind of rig. */
export interface Result {
  scenario: Scenario;
  rig: string;
  /** Whether its promises are holdfast's to keep: broken ones are a failure of the drill. */
  binding: boolean;
  runs: DrillRun[];
  /** Why it was not run, or null. */
  skipped: string | null;
}

export interface CampaignOptions {
  scenarios: readonly Scenario[];
  settings: DrillSettings;
  times: number;
  /** Run on this one, which others depend on, instead of on one that is made for it. */
  live: Rig | null;
  /** The same drills on Sentinel + HAProxy as people set it up today. */
  besidePlain: boolean;
  report: (line: string) => void;
  signal: AbortSignal;
}

const prefix = 'drill:';
/** Keys in a database that others use: nobody has such ones by chance. */
const livePrefix = `holdfast-drill:${randomUUID()}:`;

export async function runCampaign(options: CampaignOptions): Promise<Result[]> {
  const results: Result[] = [];
  const noNetwork = options.scenarios.some(({ hosts }) => hosts === 'three') ? whyNoNetworkHosts() : null;
  for (const scenario of options.scenarios) {
    const skipped = scenario.hosts === 'three' ? noNetwork : null;
    const { live } = options;
    const makers: [boolean, (settings: RigSettings) => Rig][] = [
      [true, (made) => live ?? new HoldfastRig(made)],
    ];
    if (options.besidePlain) makers.push([false, (made) => new PlainRig(made)]);
    for (const [binding, make] of makers) {
      const name = make(rigSettings(scenario, options.settings)).name;
      const result: Result = { scenario, rig: name, binding, runs: [], skipped };
      results.push(result);
      if (skipped !== null) {
        options.report(`${scenario.name}: skipped: ${skipped}`);
        continue;
      }
      for (let round = 1; round <= options.times; round++) {
        const label = options.times === 1 ? '' : ` ${round}/${options.times}`;
        const report = (line: string) => options.report(`${scenario.name}${label}, ${name}: ${line}`);
        result.runs.push(await runOnce(scenario, options, make, report));
      }
    }
  }
  return results;
}

/** Each run has a rig of its own: what one drill leaves behind can't excuse the next. */
async function runOnce(
  scenario: Scenario,
  { settings, signal, live }: CampaignOptions,
  make: (settings: RigSettings) => Rig,
  report: (line: string) => void,
): Promise<DrillRun> {
  signal.throwIfAborted();
  const rig = make(rigSettings(scenario, settings));
  try {
    // A start can't be stopped half-way; what it has made by then is removed below.
    await Promise.race([rig.start(), aborted(signal)]);
    return await runDrill({ scenario, settings, rig, prefix: live ? livePrefix : prefix, report, signal });
  } catch (error) {
    // What was waited for just then says less than why nobody waits any more.
    throw signal.aborted ? signal.reason : error;
  } finally {
    await rig.stop();
  }
}

function rigSettings(scenario: Scenario, { durability, persistence }: DrillSettings): RigSettings {
  const { hosts, sections } = scenario;
  return { durability, persistence, hosts, ...(sections ? { sections } : {}) };
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}
