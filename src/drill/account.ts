/**
 * What became of every write: the ledger compared with what the servers hold after the healing. Pure.
 *
 * Lists and hashes keep everything that was ever written to them, so each acknowledged element that is not there is
 * one lost write. A counter has one writer, so its answers must count up by one: an answer that is lower than it must
 * be shows how many increments were undone, also when later ones hide it. A string keeps only the last value: those
 * after the one found are lost; a loss that a later write covered is not seen there. Registers are checked by
 * `linearizable.ts`.
 */
import type { Holdings, Write } from './ledger.ts';

export interface Account {
  attempted: number;
  acknowledged: number;
  failed: number;
  unknown: number;
  /** Acknowledged, and not there. */
  lost: LostWrite[];
  /** Not acknowledged, and there all the same: fate unknown to the client. */
  presentUnacknowledged: number;
  /** Refused by the server, and there all the same: an error reply that was a lie. */
  presentRefused: Write[];
  /** There more than once. */
  duplicated: string[];
}

export interface LostWrite {
  key: string;
  value: string;
  /** When it was acknowledged, ms on the drill's clock. */
  acknowledgedMs: number;
  listener: string;
}

type Finding = Pick<Account, 'lost' | 'presentUnacknowledged' | 'presentRefused' | 'duplicated'>;

export function account(writes: readonly Write[], holdings: Holdings): Account {
  const byKey = new Map<string, Write[]>();
  for (const write of writes) {
    const list = byKey.get(write.key);
    if (list) list.push(write);
    else byKey.set(write.key, [write]);
  }
  const findings = [...byKey.values()].map((each) => accountKey(each, holdings));
  const count = (outcome: Write['outcome']) => writes.filter((each) => each.outcome === outcome).length;
  return {
    attempted: writes.length,
    acknowledged: count('acknowledged'),
    failed: count('failed'),
    unknown: count('unknown'),
    lost: findings.flatMap(({ lost }) => lost),
    presentUnacknowledged: findings.reduce((sum, each) => sum + each.presentUnacknowledged, 0),
    presentRefused: findings.flatMap(({ presentRefused }) => presentRefused),
    duplicated: findings.flatMap(({ duplicated }) => duplicated),
  };
}

function accountKey(writes: readonly Write[], holdings: Holdings): Finding {
  const [{ kind, key }] = writes as [Write];
  switch (kind) {
    case 'list':
      return accountSet(writes, holdings.lists.get(key) ?? []);
    case 'hash':
      return accountSet(
        writes,
        [...(holdings.hashes.get(key) ?? [])].map(([field, value]) => `${field}=${value}`),
      );
    case 'counter':
      return accountCounter(writes, holdings.counters.get(key) ?? 0);
    case 'string':
      return accountString(writes, holdings.strings.get(key) ?? null);
    case 'register':
      return { lost: [], presentUnacknowledged: 0, presentRefused: [], duplicated: [] };
  }
}

/** Everything that was ever added must be there, once. */
function accountSet(writes: readonly Write[], there: readonly string[]): Finding {
  const times = new Map<string, number>();
  for (const value of there) times.set(value, (times.get(value) ?? 0) + 1);
  const isThere = ({ value }: Write) => times.has(value);
  return {
    lost: writes.filter((each) => each.outcome === 'acknowledged' && !isThere(each)).map(asLost),
    presentUnacknowledged: writes.filter((each) => each.outcome === 'unknown' && isThere(each)).length,
    presentRefused: writes.filter((each) => each.outcome === 'failed' && isThere(each)),
    duplicated: [...times].filter(([, count]) => count > 1).map(([value]) => value),
  };
}

/** Follows the lowest and the highest value that the counter can have. */
function accountCounter(writes: readonly Write[], found: number): Finding {
  let low = 0;
  let high = 0;
  const applied: Write[] = [];
  const lost: LostWrite[] = [];
  const duplicated: string[] = [];
  let presentUnacknowledged = 0;
  const settle = (value: number, key: string) => {
    const missing = Math.max(0, low - value);
    lost.push(...applied.splice(applied.length - missing, missing).map(asLost));
    presentUnacknowledged += Math.max(0, Math.min(value, high) - low);
    if (value > high) duplicated.push(`${key} is ${value}, at most ${high} was possible`);
    low = value;
    // What has not shown yet may still come.
    high = Math.max(high, value);
  };
  for (const write of writes) {
    if (write.outcome === 'unknown') high += 1;
    if (write.outcome !== 'acknowledged') continue;
    settle((write.answer as number) - 1, write.key);
    low += 1;
    high += 1;
    applied.push(write);
  }
  settle(found, writes[0]?.key ?? '');
  return { lost, presentUnacknowledged, presentRefused: [], duplicated };
}

/** The last value counts: acknowledged writes after the one that is there are lost. */
function accountString(writes: readonly Write[], found: string | null): Finding {
  const holder = writes.find(({ value }) => value === found);
  const step = holder?.step ?? -1;
  return {
    lost: writes.filter((each) => each.outcome === 'acknowledged' && each.step > step).map(asLost),
    presentUnacknowledged: holder?.outcome === 'unknown' ? 1 : 0,
    presentRefused: holder?.outcome === 'failed' ? [holder] : [],
    duplicated: [],
  };
}

function asLost({ key, value, endMs, listener }: Write): LostWrite {
  return { key, value, acknowledgedMs: endMs, listener };
}
