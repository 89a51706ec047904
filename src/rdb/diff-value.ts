import type { PendingEntry, StreamGroup } from './body/visitor.ts';
import { quoteKey } from './errors.ts';
import type { RdbValue } from './value.ts';

const shown = 3;

/** How two values differ, as a sentence for people: counts, and the first few places. */
export function describeDifference(one: RdbValue, other: RdbValue): string {
  if (one.kind !== other.kind) return `a ${one.kind} against a ${other.kind}`;
  if (one.kind === 'string' && other.kind === 'string') return describeBytes(one.value, other.value);
  if (one.kind === 'list' && other.kind === 'list') return describeLists(one.items, other.items);
  if (one.kind === 'module') return 'what the module stored differs';
  if (one.kind === 'stream' && other.kind === 'stream') {
    return describeStreams(one, other);
  }
  return describeMaps(asMap(one), asMap(other));
}

type Stream = Extract<RdbValue, { kind: 'stream' }>;

/** The first thing that differs, of what is compared: entries, last id, groups, what is pending in them. */
function describeStreams(one: Stream, other: Stream): string {
  const [length, otherLength] = [one.entries.length, other.entries.length];
  for (let at = 0; at < Math.max(length, otherLength); at++) {
    const [entry, against] = [one.entries[at], other.entries[at]];
    if (textOf(entry) === textOf(against)) continue;
    const ids = `${entry?.id ?? 'none'} against ${against?.id ?? 'none'}`;
    const what = entry?.id === against?.id ? `the fields of ${entry?.id} differ` : `entry ${at} is ${ids}`;
    return `${length} entries against ${otherLength}, ${what}`;
  }
  if (one.info.lastId !== other.info.lastId) {
    return `the same entries, last id ${one.info.lastId} against ${other.info.lastId}`;
  }
  return `the same entries, ${describeGroups(one.groups, other.groups)}`;
}

function describeGroups(one: StreamGroup[], other: StreamGroup[]): string {
  const named = new Map(other.map((group) => [group.name.toString('latin1'), group]));
  if (one.length !== other.length) return `${one.length} groups against ${other.length}`;
  for (const group of one) {
    const name = `group ${quoteKey(group.name)}`;
    const against = named.get(group.name.toString('latin1'));
    if (against === undefined) return `${name} is only in the first`;
    if (group.lastId !== against.lastId) return `${name}: last id ${group.lastId} against ${against.lastId}`;
    if (textOf(group.pending) !== textOf(against.pending)) {
      const counts = `${group.pending.length} pending against ${against.pending.length}`;
      const at = group.pending.findIndex((each, index) => textOf(each) !== textOf(against.pending[index]));
      return `${name}: ${counts}, ${describePending(group.pending[at], against.pending[at])}`;
    }
    const owned = (consumers: StreamGroup['consumers']) =>
      textOf(consumers.map(({ name: consumer, pending }) => [consumer.toString('latin1'), pending]));
    if (owned(group.consumers) !== owned(against.consumers)) return `${name}: its consumers differ`;
  }
  return 'the same groups in another order';
}

function describePending(one: PendingEntry | undefined, other: PendingEntry | undefined): string {
  if (one === undefined || other === undefined) return 'the same as far as the shorter goes';
  if (one.id !== other.id) return `${one.id} against ${other.id}`;
  const times = `delivered at ${one.deliveredMs} against ${other.deliveredMs}`;
  return `${one.id} ${times}, ${one.deliveries} times against ${other.deliveries}`;
}

function textOf(value: unknown): string {
  return JSON.stringify(value, (_, held: unknown) => (typeof held === 'bigint' ? `${held}` : held)) ?? '';
}

function describeBytes(one: Buffer, other: Buffer): string {
  let at = 0;
  while (at < one.length && at < other.length && one[at] === other[at]) at++;
  return `${one.length} bytes against ${other.length}, the same up to byte ${at}`;
}

function describeLists(one: Buffer[], other: Buffer[]): string {
  const counts = `${one.length} elements against ${other.length}`;
  for (let at = 0; at < Math.min(one.length, other.length); at++) {
    if (!one[at]!.equals(other[at]!)) {
      return `${counts}, the first that differs is ${at}: ${quoteKey(one[at]!)} against ${quoteKey(other[at]!)}`;
    }
  }
  return `${counts}, the same as far as the shorter goes`;
}

/** Members of a set, a sorted set or a hash, each with what belongs to it as text. */
function asMap(value: RdbValue): Map<string, string> {
  switch (value.kind) {
    case 'set':
      return new Map(value.members.map((member) => [member.toString('latin1'), '']));
    case 'zset':
      return new Map(value.members.map(({ member, score }) => [member.toString('latin1'), String(score)]));
    case 'hash':
      return new Map(
        value.fields.map(({ field, value: held, expireMs }) => {
          const expires = expireMs === undefined ? '' : ` expiring at ${expireMs}`;
          return [field.toString('latin1'), `${quoteKey(held)}${expires}`];
        }),
      );
    default:
      return new Map();
  }
}

function describeMaps(one: Map<string, string>, other: Map<string, string>): string {
  const missing = [...one.keys()].filter((name) => !other.has(name));
  const added = [...other.keys()].filter((name) => !one.has(name));
  const changed = [...one].filter(([name, held]) => other.has(name) && other.get(name) !== held);
  const parts: string[] = [];
  if (missing.length > 0) parts.push(`${missing.length} only in the first: ${listNames(missing)}`);
  if (added.length > 0) parts.push(`${added.length} only in the second: ${listNames(added)}`);
  if (changed.length > 0) {
    const places = changed
      .slice(0, shown)
      .map(([name, held]) => `${quoteName(name)} ${held} against ${other.get(name)}`);
    parts.push(`${changed.length} changed: ${places.join(', ')}${changed.length > shown ? '…' : ''}`);
  }
  return parts.join('; ');
}

function listNames(names: string[]): string {
  return `${names.slice(0, shown).map(quoteName).join(', ')}${names.length > shown ? '…' : ''}`;
}

function quoteName(name: string): string {
  return quoteKey(Buffer.from(name, 'latin1'));
}
