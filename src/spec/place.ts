import { meant, type Problem, show } from './problems.ts';
import type { Host, Place } from './spec.ts';

/** What a spec says about where one kind of process runs. */
export interface Wanted {
  /** The section of the spec, for messages: `redis`, `sentinel` or `gate`. */
  section: string;
  /** Ids are `prefix-1`, `prefix-2` and so on, in the spec's order. */
  prefix: string;
  /** The key that says how many there are on a laptop; undefined where there is always one. */
  countKey?: string;
  count: number | undefined;
  on: readonly string[] | undefined;
  /** Other ids, one for each entry of `on`: processes keep theirs when hosts come and go. */
  ids: readonly string[] | undefined;
  port: number;
  /** When the spec says neither. */
  defaultCount: number;
  defaultOn: readonly string[];
}

/**
 * Gives each process its host and port. Processes of one kind on one host take consecutive ports; alone on its host,
 * each takes the first.
 */
export function place(
  wanted: Wanted,
  hosts: readonly Host[],
  laptop: boolean,
): { places: Place[]; problems: Problem[] } {
  const problems = misplaced(wanted, hosts, laptop);
  const on = laptop
    ? Array.from({ length: wanted.count ?? wanted.defaultCount }, () => hosts[0]?.id ?? '')
    : (wanted.on ?? (wanted.count === 0 ? [] : wanted.defaultOn));
  const used = new Map<string, number>();
  const places = on.map((hostId, index) => {
    const before = used.get(hostId) ?? 0;
    used.set(hostId, before + 1);
    const address = hosts.find(({ id }) => id === hostId)?.address ?? '';
    const id = wanted.ids?.[index] ?? `${wanted.prefix}-${index + 1}`;
    return { id, host: hostId, address, port: wanted.port + before };
  });
  if (places.some(({ port }) => port > 65_535)) {
    problems.push({
      path: [wanted.section, 'port'],
      message: `found ${wanted.port}; the ports counted up from it must end at 65535 at most`,
    });
  }
  return { places, problems: [...problems, ...wrongIds(wanted, on.length, laptop)] };
}

function wrongIds({ section, prefix, ids }: Wanted, places: number, laptop: boolean): Problem[] {
  if (ids === undefined) return [];
  const path = [section, 'ids'];
  if (laptop) return [{ path, message: 'it needs `hosts`, which this spec does not have', about: 'key' }];
  const known = new Set(ids);
  const isRight = (id: string) => new RegExp(`^${prefix}-[1-9]\\d{0,4}$`).test(id);
  if (ids.length === places && known.size === places && ids.every(isRight)) return [];
  const message = `found [${ids.map(show).join(', ')}]; as many different ones as there are hosts in \`on\`, such as ${prefix}-1`;
  return [{ path, message }];
}

function misplaced(wanted: Wanted, hosts: readonly Host[], laptop: boolean): Problem[] {
  const { section, countKey } = wanted;
  if (laptop) {
    const instead =
      countKey === undefined
        ? 'without `hosts` there is one, on this machine'
        : `say \`${countKey}\` instead`;
    return wanted.on === undefined
      ? []
      : [
          {
            path: [section, 'on'],
            message: `it needs \`hosts\`, which this spec does not have; ${instead}`,
            about: 'key',
          },
        ];
  }
  const problems: Problem[] = [];
  // None is none, on however many hosts.
  const isNone = wanted.count === 0 && wanted.on === undefined;
  if (wanted.count !== undefined && countKey !== undefined && !isNone) {
    problems.push({
      path: [section, countKey],
      message: 'it is for a spec without `hosts`; with hosts, say which: `on: [a, b, c]`',
      about: 'key',
    });
  }
  const names = hosts.map(({ id }) => id);
  for (const [index, name] of (wanted.on ?? []).entries()) {
    if (names.includes(name)) continue;
    const message = `found ${show(name)}, which is not in \`hosts\`${meant(name, names)}; allowed: ${names.join(', ')}`;
    problems.push({ path: [section, 'on', index], message });
  }
  return problems;
}
