/** `drill --against SPEC`: the drills that do no harm, on a deployment that runs, after asking. */
import { announceLive, chooseLive } from '../drill/live.ts';
import type { DrillSettings, Scenario } from '../drill/scenario.ts';
import { readTls } from '../redis/tls.ts';
import { loadSecrets } from '../spec/secrets.ts';
import { LiveTestbed } from '../testbed/live-testbed.ts';
import { clientCredentials } from './client-credentials.ts';
import { confirm } from './confirm.ts';
import type { Output } from './output.ts';
import { openTarget, type Target } from './target.ts';

export interface LiveOptions {
  against?: string;
  stateDir?: string;
  user?: string;
  yes?: boolean;
}

export interface LivePlan {
  testbed: LiveTestbed;
  scenarios: readonly Scenario[];
  settings: DrillSettings;
}

/** @returns what is to be run, or null when the answer was no. @throws DRILL_NOT_FOR_LIVE, TESTBED_UNFIT, BAD_OPTION */
export async function planLive(
  output: Output,
  options: LiveOptions & { against: string },
  chosen: readonly Scenario[],
  asked: DrillSettings,
): Promise<LivePlan | null> {
  const target = await openTarget(options.against, options);
  const scenarios = chooseLive(chosen, target.spec);
  const { gate, redis, security, sentinels, mirror } = target.spec;
  const { persistence } = redis;
  const settings = {
    ...{ ...asked, durability: gate.durability, persistence, tls: security.tls !== null },
    standalone: { sentinels: sentinels.length > 0, onSplit: mirror?.onSplit ?? 'refuse' },
  };
  const testbed = await openTestbed(target, options.user);
  await testbed.start();
  for (const line of announceLive(target.spec.name, scenarios, settings)) output.note(line);
  const yes = await confirm(output, 'Run this?', options.yes === true);
  return yes ? { testbed, scenarios, settings } : null;
}

async function openTestbed({ spec, paths, agent }: Target, user: string | undefined): Promise<LiveTestbed> {
  // Asked first: without an agent there is nothing to run against, and no secret to make up.
  await agent.status();
  const secrets = await loadSecrets(spec, paths.secret);
  const credentials = clientCredentials(
    spec,
    secrets,
    user,
    (names) => `--user with one of ${names}, who may write keys that begin with holdfast-drill:.`,
  );
  return new LiveTestbed({ spec, paths, agent, credentials, tls: await readTls(spec.security.tls) });
}
