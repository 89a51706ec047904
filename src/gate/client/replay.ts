import type { Buffer } from 'node:buffer';
import { MALFORMED } from '../../resp/request.ts';
import { writeError } from '../../resp/write.ts';
import type { Command } from '../commands/command-table.ts';
import { mayRetry } from '../commands/retry.ts';
import type { MemberAddress } from '../config.ts';
import type { Loss, RequestLoss, Run } from '../upstream/run.ts';
import { isKnownRun } from '../upstream/server-runs.ts';
import type { Client } from './client.ts';
import { currentRequest, forbids, refusalFor, refusalOf, requestsOf } from './refusal.ts';
import type { Again, Item } from './retry-queue.ts';

/**
 * What becomes of a request whose connection broke before it was answered, and of one that has waited too long.
 *
 * - A read is sent again: executing it twice changes nothing. But the server may have been lost because of it: after a
 *   change of primary it is sent once more at most, and not at all if the server had been silent while it had it; but for one
 *   that can't be why (`fast`): a host that is lost is silent too.
 * - A read whose answer came and may not be shown (quorum-reads.ts) is answered with why.
 * - A write may have been executed: it is answered with UNCERTAIN; or sent again when the configuration says so and
 *   the command's rule allows it: see commands/retry.ts.
 * - A blocking command that was known to wait was not executed: see blocking.ts.
 * - A subscription and a MULTI that was not EXECed are carried over: see handlers.ts.
 * - What a client asks that is set apart (apart.ts) is not kept: whatever it was, it is answered with UNCERTAIN.
 * - What was not sent waits, and is answered with NOPRIMARY when that takes too long: it was not executed.
 *
 * `fateOf` decides, for every request whose handler does not say why it may be executed twice. A command that the
 * server's table does not know may write, whatever connection it was on.
 */

/** Why it was lost is not known yet: a server that goes down closes it, and so does one whose user is deleted. */
export const uncertain = writeError(
  'UNCERTAIN the connection to the primary was lost before it answered; this write may or may not have been applied',
);

/** A reply to a run of several requests that is not simply passed on: an error, or one behind a retry. */
export function answerOrRetry(client: Client, run: Run, buf: Buffer, start: number, end: number): void {
  if (!run.kept) {
    client.deliver(buf, start, end);
    return;
  }
  const { collecting } = client.retries;
  if (client.router.copies !== null && forbids(buf, start, end)) run.leaveOut();
  // To find its request is dear, so most replies have to do without.
  if (!collecting && refusalOf(buf, start, end) === null) {
    client.deliver(buf, start, end);
    return;
  }
  const request = currentRequest(run);
  const command = client.router.table.commandIn(request);
  const refusal = refusalFor(command, buf, start, end, performance.now() - run.sentMs);
  if (refusal !== null) run.leaveOut();
  if (refusal !== null && client.router.onRefusal(client, refusal)) {
    client.sendAgain({ request });
  } else if (!collecting) {
    client.deliver(buf, start, end);
  } else {
    if (command.read) {
      run.leaveOut();
      client.sendAgain({ request });
    } else client.deliver(buf, start, end);
  }
}

const deadly = writeError(
  'UNCERTAIN two servers were lost while they had this request; it is not sent to a third',
);
const slow = writeError(
  'UNCERTAIN the server was silent while it had this request, and was lost; it is not sent to another',
);

/** The run's connection broke; its client goes on once it has nothing in flight. */
export function retryLost(client: Client, run: Run, { server, sent, silent, heard, refusal }: Loss): void {
  const { era } = client.router;
  const { deaths } = run;
  const loss = { sent, suspect: sent && silent, deaths, heard, refusal };
  // What was not sent lost nothing here, and keeps what it had lost before.
  client.retries.losing({ run: sent ? server : '', era, deaths }, () => {
    if (run.handler !== null) run.handler.onLost(loss);
    else if (!run.kept) answerUncertain(client, run.left);
    else for (const request of requestsOf(run)) loseRequest(client, request, loss);
  });
}

/** What becomes of a request whose connection broke: a decision of what is known of it, and nothing else. */
export type Fate = 'sent first' | 'sent again' | 'carried over' | 'refused' | 'suspect' | 'uncertain';

/**
 * @param lost `waited`: the server had said that it waits, and nothing of an answer came; `refusal` as RequestLoss has it
 * @param retriesWrites whether writes that leave the same when they are applied twice may be
 */
export function fateOf(
  { name, read, fast }: Pick<Command, 'name' | 'read' | 'fast'>,
  request: Buffer,
  { sent, suspect, waited, refusal }: Pick<RequestLoss, 'sent' | 'suspect' | 'refusal'> & { waited: boolean },
  retriesWrites: boolean,
): Fate {
  if (!sent) return 'sent first';
  if (waited) return 'carried over';
  if (read && refusal !== null) return 'refused';
  if (read) return suspect && !fast ? 'suspect' : 'sent again';
  return retriesWrites && !suspect && mayRetry(name, request) ? 'sent again' : 'uncertain';
}

/** @param waitedAt the server that said that this waits there */
export function loseRequest(
  client: Client,
  request: Buffer,
  loss: RequestLoss,
  waitedAt: MemberAddress | null = null,
): void {
  const { counters, config, table } = client.router;
  const retriesWrites = config.inflightWrites === 'retry-idempotent';
  const lost = { ...loss, waited: waitedAt !== null && !loss.heard };
  switch (fateOf(table.commandIn(request), request, lost, retriesWrites)) {
    case 'carried over':
      counters.count('replayed');
      client.retries.again({ request, waitedAt });
      return;
    case 'refused':
      client.retries.again({ reply: loss.refusal as Buffer });
      return;
    case 'suspect':
      answerSuspect(client);
      return;
    case 'uncertain':
      answerUncertain(client);
      return;
    case 'sent again':
      counters.count('replayed');
      client.retries.again({ request });
      return;
    case 'sent first':
      client.retries.again({ request });
  }
}

export function answerSuspect(client: Client): void {
  client.router.counters.count('uncertain');
  client.retries.again({ reply: slow });
}

/**
 * Sends what has to be sent again, if no two servers died while they had it; a read then gets an error. A server died
 * if everything was held since, and what is there now is another run. False: it waits.
 */
export function sendAgain(client: Client, item: Again): boolean {
  const { request, loss, block, ends, waitedAt } = item;
  const { router } = client;
  const command = router.table.commandIn(request);
  if (waitedAt) {
    const route = router.route(client, !command.read);
    if (route === null) return false;
    // Restarted: what it had written to its files by then it may have executed.
    if (!command.read && route.target === waitedAt && route.atServer.run !== loss?.run) {
      if (!client.idle()) return false;
      router.counters.count('uncertain');
      client.deliver(uncertain, 0, uncertain.length);
      return true;
    }
  } else if (loss !== undefined && block === undefined && !ends) {
    const route = router.route(client, false);
    if (route === null) return false;
    const died = router.era !== loss.era && isKnownRun(loss.run) && route.atServer.run !== loss.run;
    client.survived(loss.deaths + (died && isKnownRun(route.atServer.run) ? 1 : 0));
    if (client.deaths > 1 && command.read) {
      if (!client.idle()) return false;
      router.counters.count('uncertain');
      client.deliver(deadly, 0, deadly.length);
      return true;
    }
  }
  return client.sendOne(command, request, 0, request.length);
}

export function answerUncertain(client: Client, times = 1): void {
  client.router.counters.count('uncertain', times);
  client.retries.again({ reply: uncertain, times });
}

/** The client has waited for a primary long enough: every whole request that is here is answered with an error. */
export function failHeld(client: Client): void {
  const { router } = client;
  const missing = router.primaryLoads ? 'the primary did not load its data' : 'no primary was found';
  refuseWaiting(client, `NOPRIMARY ${missing} within ${router.config.holdMs} ms`);
}

/** Every whole request that waits is answered with this error: it was not executed. */
export function refuseWaiting(client: Client, error: string): void {
  const { requests, router } = client;
  client.endHold();
  client.retries.answerAll((request) => refuseHeld(client, request, error));
  let text = router.routes?.abandon(client, error) ?? error;
  while (requests.size > 0 && !requests.incomplete && !client.closing) {
    const next = requests.next(requests.pos, router.requestLimits);
    if (next === MALFORMED) client.fail(`ERR ${requests.frame.error}`);
    else if (next > 0) {
      const request = requests.buf.subarray(requests.pos, next);
      requests.take(next);
      // An inline request is refused too; an empty one asks for nothing.
      if (requests.frame.count !== 0) client.retries.push(refuseHeld(client, request, text));
      text = error;
    }
  }
  client.pump();
}

function refuseHeld(client: Client, request: Buffer, error: string): Item {
  const { router, session } = client;
  router.counters.count('heldInVain');
  const { transaction } = session;
  if (!transaction.open && !transaction.begun) return { reply: writeError(error) };
  transaction.spoil();
  const { name } = client.router.table.commandIn(request);
  if (name !== 'exec' && name !== 'discard') return { reply: writeError(error) };
  // As a server that refuses EXEC: the transaction is over.
  transaction.reset();
  router.dropOwn(client);
  return {
    reply: writeError(name === 'exec' ? `EXECABORT Transaction discarded because of: ${error}` : error),
  };
}
