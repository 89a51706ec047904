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
    const counts = `${one.entries.length} entries against ${other.entries.length}`;
    const last = `last id ${one.info.lastId} against ${other.info.lastId}`;
    return `${counts}, ${last}, ${one.groups.length} groups against ${other.groups.length}`;
  }
  return describeMaps(asMap(one), asMap(other));
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
