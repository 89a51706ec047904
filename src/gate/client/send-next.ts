import { INCOMPLETE, MALFORMED } from '../../resp/request.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { Client } from './client.ts';
import { takeOdd } from './odd-requests.ts';

/**
 * Sends the plain requests that come next in a client's buffer as one run, or one request that is not plain. True when
 * there may be more to do at once.
 */
export function sendNext(client: Client): boolean {
  const { router, requests, flow, apart } = client;
  const { frame, buf, end } = requests;
  const start = requests.pos;
  const plain = !client.session.transaction.open && !router.refuses;
  let pos = start;
  let count = 0;
  let writes = false;
  let reads = false;
  let held = false;
  let room = 0;
  let starved = false;
  let route = client.place.route;
  let command = router.table.unknown;
  const { routes } = router;
  if (routes !== null && !routes.ready) {
    router.hold(client);
    return false;
  }
  const limits = router.limitsOf(client);
  const writesWait = router.holding !== 'none';
  while (pos < end) {
    const next = requests.next(pos, limits);
    if (next === INCOMPLETE) break;
    if (next === MALFORMED || frame.count <= 0) {
      if (count > 0) break;
      takeOdd(client, next);
      return true;
    }
    command = router.table.find(buf, frame.nameStart, frame.nameEnd);
    const isHere = routes === null || (plain && command.plain && routes.takes(client, command, buf, frame));
    if (!plain || !command.plain || !isHere) {
      if (count > 0) break;
      const one = router.table.commandOf(buf, frame);
      const isSent =
        routes === null ? client.sendOne(one, buf, pos, next) : routes.turn(client, one, buf, pos, next);
      if (!isSent) return false;
      requests.take(next);
      return true;
    }
    if (!command.read) {
      if (writesWait) {
        held = true;
        break;
      }
      writes = true;
    }
    if (route === null) {
      if (!apart.ready()) return false;
      route = router.route(client, false, apart.on);
      if (route === null) return false;
    }
    if (apart.on) {
      if (count === 0) room = apart.room(route);
    } else if (!command.write && !reads) {
      reads = true;
      room = flow.room(route.window, true);
    } else if (count === 0) room = flow.room(route.window, false);
    if (count >= room && (count > 0 || client.inFlight > 0 || apart.on)) {
      starved = true;
      break;
    }
    command.calls++;
    count++;
    pos = next;
  }
  if (count > 0) {
    if (apart.on) apart.send(route as Upstream, buf, start, pos, count, writes);
    else (route as Upstream).send(client, buf, start, pos, count, writes, null).mayRead(reads);
    router.counters.executed(count);
    routes?.count(client, count);
    requests.take(pos);
    client.onSent(command);
  }
  // Who is set apart goes on when its server takes more.
  if (starved && !apart.on) flow.starve();
  if (held) router.hold(client);
  return !held && !starved && pos < end && !requests.incomplete;
}

/** Whether a client's next request is one that `sendNext` sends together with others. */
export function nextIsPlain(client: Client): boolean {
  const { requests, retries, router, session } = client;
  if (!retries.isEmpty || session.transaction.open || requests.size === 0) return false;
  const next = requests.next(requests.pos, router.limitsOf(client));
  const { count, nameStart, nameEnd } = requests.frame;
  return next > 0 && count > 0 && router.table.find(requests.buf, nameStart, nameEnd).plain;
}
