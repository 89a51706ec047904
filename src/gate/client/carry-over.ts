import { MALFORMED } from '../../resp/request.ts';
import { writeError } from '../../resp/write.ts';
import { mayRetry } from '../commands/retry.ts';
import type { Run } from '../upstream/run-ring.ts';
import { type Item, requestsOf } from './bounce.ts';
import type { Client } from './gate-client.ts';

/**
 * What becomes of a request whose connection broke before it was answered, and of one that has waited too long.
 *
 * - A read is sent again: executing it twice changes nothing.
 * - A write may have been executed: it is answered with UNCERTAIN; or sent again when the configuration says so and
 *   the command's rule allows it: see commands/retry.ts.
 * - A blocking command, a subscription and a MULTI that was not EXECed are carried over: see handlers.ts.
 * - What was not sent waits, and is answered with NOPRIMARY when that takes too long: it was not executed.
 */

const uncertain = writeError(
  'UNCERTAIN the primary went down before it answered; this write may or may not have been applied',
);

/** The run's connection broke, `sent` or before; its client goes on once it has nothing in flight. */
export function onRunLost(client: Client, run: Run, sent: boolean): void {
  client.bounce ??= { items: [] };
  if (run.handler !== null) run.handler.onLost();
  else if (!sent) client.bounce.items.push(...requestsOf(run).map((request) => ({ request })));
  else for (const request of requestsOf(run)) onRequestLost(client, request);
  client.onRunLost(run.count, run.end - run.start);
}

export function onRequestLost(client: Client, request: Buffer): void {
  const { counters, config } = client.router;
  const command = client.router.table.commandIn(request);
  if (command.read || (config.inflightWrites === 'retry-idempotent' && mayRetry(command.name, request))) {
    counters.replayed++;
    client.bounce?.items.push({ request });
  } else answerUncertain(client);
}

export function answerUncertain(client: Client): void {
  client.router.counters.uncertain++;
  client.bounce?.items.push({ reply: uncertain });
}

/** The client has waited for a primary long enough: every whole request that is here is answered with an error. */
export function failHeld(client: Client): void {
  const { requests, router } = client;
  client.heldSince = 0;
  client.backlog = client.backlog.map((item) => ('reply' in item ? item : refuseHeld(client, item.request)));
  while (requests.size > 0 && !requests.incomplete && !client.closing) {
    const next = requests.next(requests.pos, router.requestLimits);
    if (next === MALFORMED) client.fail(`ERR ${requests.frame.error}`);
    else if (next > 0) {
      const request = requests.buf.subarray(requests.pos, next);
      requests.pos = next;
      // An inline request is refused too; an empty one asks for nothing.
      if (requests.frame.count !== 0) client.backlog.push(refuseHeld(client, request));
    }
  }
  client.pump();
}

function refuseHeld(client: Client, request: Buffer): Item {
  const { router, session } = client;
  router.counters.heldInVain++;
  const missing = router.primaryLoads ? 'the primary did not load its data' : 'no primary was found';
  const error = `NOPRIMARY ${missing} within ${router.config.holdMs} ms`;
  if (!client.inMulti && session.transaction === null) return { reply: writeError(error) };
  client.multiFailed = true;
  const { name } = client.router.table.commandIn(request);
  if (name !== 'exec' && name !== 'discard') return { reply: writeError(error) };
  // As a server that refuses EXEC: the transaction is over.
  client.inMulti = false;
  session.endTransaction();
  client.multiFailed = false;
  router.dropOwn(client);
  return {
    reply: writeError(name === 'exec' ? `EXECABORT Transaction discarded because of: ${error}` : error),
  };
}
