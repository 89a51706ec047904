/**
 * Drills one after the other: scenarios, repeated, on testbeds of their own, holdfast's and perhaps a plain one. Each run is
 * told when it is over, and a campaign that is broken off gives what ran until then.
 */
import { randomUUID } from 'node:crypto';
import { errorCode, errorText } from '../base/errors.ts';
import { unlessAborted } from '../base/retry.ts';
import { HoldfastTestbed } from '../testbed/holdfast-testbed.ts';
import { whyNoNetworkHosts } from '../testbed/network-hosts.ts';
import { PlainTestbed } from '../testbed/plain-testbed.ts';
import type { Testbed, TestbedSettings } from '../testbed/testbed.ts';
import { runInWords } from './kept.ts';
import { type DrillRun, runDrill } from './run.ts';
import type { DrillSettings, Scenario } from './scenario.ts';

/** A scenario with its runs on one kind of testbed. */
export interface Result {
  scenario: Scenario;
  testbed: string;
  /** Whether its promises are holdfast's to keep: broken ones are a failure of the drill. */
  binding: boolean;
  runs: DrillRun[];
  /** Runs that could not be brought to an end, so that nothing is known of them: why. */
  failures: string[];
  /** Why it was not run at all, or null. */
  skipped: string | null;
}

export interface Campaign {
  results: Result[];
  /** Why not everything was run that was to be, or null. */
  brokenOff: string | null;
}

export interface CampaignOptions {
  scenarios: readonly Scenario[];
  settings: DrillSettings;
  times: number;
  /** Run on this one, which others depend on, instead of on one that is made for it. */
  live: Testbed | null;
  /** The same drills on Sentinel + HAProxy as people set it up today. */
  besidePlain: boolean;
  report: (line: string) => void;
  signal: AbortSignal;
  /** One run, on a testbed that it starts and stops. */
  run?: typeof runOnce;
}

const prefix = 'drill:';
/** Keys in a database that others use: nobody has such ones by chance. */
const livePrefix = `holdfast-drill:${randomUUID()}:`;

/** @throws what ended it, when nothing had been found by then */
export async function runCampaign(options: CampaignOptions): Promise<Campaign> {
  const results: Result[] = [];
  try {
    await runScenarios(options, results);
    return { results, brokenOff: null };
  } catch (error) {
    const begun = results.filter(({ runs, failures, skipped }) => {
      return runs.length + failures.length > 0 || skipped !== null;
    });
    if (!begun.some(({ runs }) => runs.length > 0)) throw error;
    return { results: begun, brokenOff: errorText(error) };
  }
}

async function runScenarios(options: CampaignOptions, results: Result[]): Promise<void> {
  const { scenarios, settings, live, besidePlain, report } = options;
  const noNetwork = scenarios.some(({ hosts }) => hosts === 'three') ? whyNoNetworkHosts() : null;
  const noPlain = besidePlain ? await PlainTestbed.whyNot() : null;
  for (const scenario of scenarios) {
    const skipped = scenario.hosts === 'three' && live === null ? noNetwork : null;
    const made = testbedSettings(scenario, settings);
    const makers: Maker[] = [{ binding: true, skipped, make: () => live ?? new HoldfastTestbed(made) }];
    // Nobody sets up standalone servers by hand so.
    if (besidePlain && scenario.topology === undefined) {
      makers.push({ binding: false, skipped: skipped ?? noPlain, make: () => new PlainTestbed(made) });
    }
    for (const maker of makers) {
      const result = newResult(scenario, maker);
      results.push(result);
      if (result.skipped === null) await runAll(result, maker, options);
      else report(`${scenario.name}, ${result.testbed}: skipped: ${result.skipped}`);
    }
  }
}

interface Maker {
  binding: boolean;
  skipped: string | null;
  make: () => Testbed;
}

function newResult(scenario: Scenario, { binding, skipped, make }: Maker): Result {
  return { scenario, testbed: make().name, binding, runs: [], failures: [], skipped };
}

async function runAll(result: Result, { make }: Maker, options: CampaignOptions): Promise<void> {
  const { scenario, testbed, runs, failures } = result;
  const { times, scenarios, run = runOnce } = options;
  for (let round = 1; round <= times; round++) {
    const label = times === 1 ? '' : ` ${round}/${times}`;
    const report = (line: string) => options.report(`${scenario.name}${label}, ${testbed}: ${line}`);
    try {
      const done = await run(scenario, options, make, report);
      runs.push(done);
      report(runInWords(done));
    } catch (error) {
      const alone = times === 1 && scenarios.length === 1 && !options.besidePlain;
      // One that fails must not take with it what the others found.
      if (alone || options.signal.aborted || errorCode(error) === 'TESTBED_UNFIT') throw error;
      failures.push(errorText(error));
      report(`failed: ${errorText(error)}`);
    }
  }
}

/** Each run has a testbed of its own: what one drill leaves behind can't excuse the next. */
async function runOnce(
  scenario: Scenario,
  { settings, signal, live }: CampaignOptions,
  make: () => Testbed,
  report: (line: string) => void,
): Promise<DrillRun> {
  signal.throwIfAborted();
  const testbed = make();
  try {
    // A start can't be stopped half-way; what it has made by then is removed below.
    await unlessAborted(testbed.start(), signal);
    return await runDrill({
      scenario,
      settings,
      testbed,
      prefix: live ? livePrefix : prefix,
      report,
      signal,
    });
  } catch (error) {
    // What was waited for just then says less than why nobody waits any more.
    throw signal.aborted ? signal.reason : error;
  } finally {
    await testbed.stop();
  }
}

function testbedSettings(
  scenario: Scenario,
  { durability, persistence, tls, standalone }: DrillSettings,
): TestbedSettings {
  const { hosts, sections, topology } = scenario;
  const own = { ...(sections ? { sections } : {}), ...(topology ? { topology, standalone } : {}) };
  return { durability, persistence, tls, hosts, ...own };
}
