/**
 * When a host is ready: its gate takes a write; without a gate, a majority of Sentinels names a primary and that one
 * answers as primary. On several hosts this may take until the others are up, so it says what it waits for.
 */
import { setInterval } from 'node:timers';
import { onAbort } from '../../base/abort.ts';
import { errorText } from '../../base/errors.ts';
import { waitFor } from '../../base/retry.ts';
import { lastLogLines } from '../../process/supervised-process.ts';
import { MemberClient } from '../../redis/member-client.ts';
import { readTls } from '../../redis/tls.ts';
import { ownUserName } from '../../spec/secrets.ts';
import { whyNobodyLeads } from '../../topology/lead-on.ts';
import { actingPrimary, namedPrimary, whoNames } from '../../topology/view.ts';
import type { Deployment } from '../deployment.ts';
import type { Observer } from '../observe/observer.ts';
import type { Report } from './change-context.ts';

const lookEveryMs = 100;
/** What takes no longer than this is not worth a word. */
const sayAfterMs = 1500;

/** @returns null when it is ready, else what was missing when the time was over, or what failed before. */
export async function waitUntilReady(
  deployment: Deployment,
  observer: Observer,
  report: Report,
  withinMs: number,
  signal: AbortSignal,
): Promise<string | null> {
  const gate = deployment.gates.find(({ unit }) => unit !== null)?.place;
  const client = gate && (await agentClient(deployment, gate));
  const failed = new AbortController();
  const began = performance.now();
  let said = '';
  const look = async () => {
    await observer.lookAtAll();
    deployment.wake();
    const hopeless = failureHere(deployment);
    if (hopeless !== undefined) failed.abort(new Error(hopeless));
    const missing = whatIsMissing(deployment);
    if (missing === said || missing === undefined || performance.now() - began < sayAfterMs) return;
    said = missing;
    report(`waiting: ${missing}`);
  };
  const timer = deployment.spec.hosts.length > 1 ? setInterval(() => void look(), lookEveryMs) : undefined;
  const what = gate ? `${gate.id} to take a write` : 'a primary';
  const isReady = async () => {
    if (!client) return actingPrimary(deployment.view()) !== null;
    // Deleting a key that nobody has is a write that changes nothing.
    await client.connection.call('DEL', 'holdfast:ready');
    return true;
  };
  const given = AbortSignal.any([failed.signal, signal]);
  // A write that a gate holds is not waited for.
  const stopListening = onAbort(given, () => client?.close());
  try {
    await waitFor(isReady, { what, withinMs, everyMs: 20, signal: given });
    return null;
  } catch (error) {
    const missing = given.aborted ? undefined : whatIsMissing(deployment);
    return missing === undefined ? errorText(error) : missing;
  } finally {
    clearInterval(timer);
    stopListening();
    client?.close();
  }
}

async function agentClient({ setting }: Deployment, { address, port }: { address: string; port: number }) {
  return new MemberClient({
    endpoint: { host: address, port },
    credentials: { username: ownUserName('agent'), password: setting.secrets.own.agent },
    tls: await readTls(setting.spec.security.tls),
  });
}

/** What keeps everyone waiting, as far as it shows in the view; undefined when nothing does. */
function whatIsMissing(deployment: Deployment): string | undefined {
  const view = deployment.view();
  const named = namedPrimary(view);
  const nobodyLeads = whyNobodyLeads(view);
  if (nobodyLeads !== undefined) return nobodyLeads;
  if (named === null) {
    const locked = deployment.sentinels.find(({ watch }) => watch.seen.locksUsOut)?.place;
    if (locked) {
      return `${locked.id} on host ${locked.host} does not know this host's password: every host needs the same secret (security.secret in the spec, or the file ${deployment.setting.paths.secret})`;
    }
    const silent = view.sentinels.filter(({ reachable }) => !reachable);
    const who = silent.map(({ id, host }) => `${id} on host ${host}`).join(', ');
    const why = silent.length > 0 ? `no answer from ${who}` : 'they name different ones';
    return `no majority of Sentinels says who is primary: ${why}`;
  }
  const primary = view.members.find(({ id }) => id === named.id);
  if (primary?.process?.refusal) return primary.process.refusal.reason;
  if (primary?.reachable && primary.locksOut !== null) {
    return `${primary.id} does not let this agent in (${primary.locksOut}): it has passwords of another secret than ${deployment.setting.paths.secret}, or somebody changed its users`;
  }
  if (!primary?.reachable || primary.role !== 'primary') {
    return `${whoNames(view)} ${named.id} on host ${primary?.host} primary, and it does not answer as one`;
  }
  return undefined;
}

/** A process of this host that was given up: waiting longer helps nobody. */
function failureHere({ units }: Deployment): string | undefined {
  const failed = units.find((unit) => unit.failed);
  if (!failed) return undefined;
  const tail = lastLogLines(failed.paths.log, 5).join('\n  ');
  return `${failed.id} keeps dying. The end of its log (${failed.paths.log}):\n  ${tail}`;
}
