import { isShortName, shortNameRule } from '../base/short-name.ts';
import type { GateConfig, GateLimits, RouteFault } from './config.ts';

/** With less nobody could be served; bytes as in the spec's `gate.limits`, elements as a server has them for strangers. */
const leastLimits: Readonly<Record<keyof GateLimits, number>> = {
  clients: 1,
  bulkBytes: 1024,
  elements: 10,
  requestBytes: 1024,
  replyBytes: 1024,
  totalBytes: 1024,
  unauthenticatedMs: 0,
  connectMs: 1,
};

/** The first thing that is wrong, as a sentence. */
export function findMistake(config: GateConfig): string | undefined {
  if (typeof config.deployment !== 'string' || config.deployment === '') return 'deployment must be a name';
  if (typeof config.id !== 'string' || config.id === '') return 'id must be a name';
  if (!isPort(config.listen?.port)) return `listen.port must be a port, found ${config.listen?.port}`;
  if (config.replicaListen !== null && !isPort(config.replicaListen?.port)) {
    return `replicaListen.port must be a port, found ${config.replicaListen?.port}`;
  }
  if (!Array.isArray(config.members)) return 'members must be a list';
  if (config.members.length + config.sentinels.length === 0)
    return 'members, or sentinels, must name at least one';
  const bad = [...config.members, ...config.sentinels].find(
    (each) => typeof each.address !== 'string' || !isPort(each.port),
  );
  if (bad) return `an address and a port are needed, found ${JSON.stringify(bad)}`;
  for (const [key, value] of Object.entries(config.limits)) {
    const least = (leastLimits as Readonly<Record<string, number>>)[key];
    if (least === undefined) return `limits: there is no key '${key}'`;
    if (!isAtLeast(value, least)) return `limits.${key} must be at least ${least}, found ${value}`;
  }
  if (!isAtLeast(config.holdMs, 0)) return `holdMs must be a number, found ${config.holdMs}`;
  if (!Number.isInteger(config.workers) || config.workers < 1 || config.workers > 64) {
    return `workers must be 1 to 64, found ${config.workers}`;
  }
  if (config.predecessor !== null) {
    const { address, port: at, movedFile } = config.predecessor;
    if (typeof address !== 'string' || !isPort(at)) return 'predecessor needs an address and a port';
    if (typeof movedFile !== 'string' || movedFile === '') return 'predecessor.movedFile must name a file';
    if (config.replicaListen !== null) {
      return 'a gate before another server has no read-only port: take replicaListen or predecessor away';
    }
  }
  const route = findRouteMistake(config);
  if (route !== undefined) return route;
  const mirror = findMirrorMistake(config);
  if (mirror !== undefined) return mirror;
  const { limit, withinMs } = config.restarts ?? {};
  if (!Number.isInteger(limit) || limit < 0 || typeof withinMs !== 'number' || !(withinMs >= 0)) {
    return `restarts must be { limit, withinMs }, found ${JSON.stringify(config.restarts)}`;
  }
  return undefined;
}

function findRouteMistake({ routes, predecessor }: GateConfig): string | undefined {
  if (!Array.isArray(routes)) return 'routes must be a list';
  const seen = new Map<string, string>();
  for (const [index, route] of routes.entries()) {
    const { id, prefixes, members, sentinels, deployment } = route;
    const where = `routes[${index}]`;
    if (!isShortName(id)) return `${where}.id must be a name: ${shortNameRule}`;
    if (seen.has(`route ${id}`)) return `${where}.id: there is another route ${id}`;
    seen.set(`route ${id}`, id);
    if (!Array.isArray(prefixes) || prefixes.length === 0) return `${where}.prefixes must be a list`;
    for (const prefix of prefixes) {
      if (typeof prefix !== 'string' || prefix === '' || prefix.length > 512) {
        return `${where}.prefixes must be texts of 1 to 512 characters; what begins with none goes to the members`;
      }
      const other = seen.get(`prefix ${prefix}`);
      if (other !== undefined)
        return `${where}.prefixes: ${JSON.stringify(prefix)} belongs to ${other} already`;
      seen.set(`prefix ${prefix}`, id);
    }
    if (members.length + sentinels.length === 0) return `${where} needs members, or sentinels`;
    if (route.readsHere && route.removePrefix) {
      return `${where}: readsHere and removePrefix exclude each other: the copy here has the keys under their own names`;
    }
    const bad = [...members, ...sentinels].find((at) => typeof at.address !== 'string' || !isPort(at.port));
    if (bad !== undefined) return `${where}: an address and a port are needed, found ${JSON.stringify(bad)}`;
    if (!Array.isArray(route.faults) || !route.faults.every(isFault)) {
      return `${where}.faults must be a list of { commands, percentage, delayMs, error }`;
    }
    if (sentinels.length > 0 && deployment === '') {
      return `${where}.deployment must be the name under which its Sentinels know the primary`;
    }
  }
  return routes.length > 0 && predecessor !== null
    ? 'a gate before another server has no routes: take routes or predecessor away'
    : undefined;
}

function isFault({ commands, percentage, delayMs, error }: RouteFault): boolean {
  const isError = error === null || (typeof error === 'string' && /^[A-Z][\x20-\x7e]{0,255}$/.test(error));
  const isNames = Array.isArray(commands) && commands.every((each) => typeof each === 'string');
  return (
    isError && isNames && percentage > 0 && percentage <= 100 && delayMs >= 0 && delayMs <= longestDelayMs
  );
}

/** Of a fault. */
const longestDelayMs = 60_000;

function findMirrorMistake({ mirrors }: GateConfig): string | undefined {
  const seen = new Set<string>();
  for (const [index, mirror] of mirrors.entries()) {
    const { id, address, port, prefixes, percentage, copies, queueBytes } = mirror;
    const where = `mirrors[${index}]`;
    if (!isShortName(id)) return `${where}.id must be a name: ${shortNameRule}`;
    if (seen.has(id)) return `${where}.id: there is another mirror ${id}`;
    seen.add(id);
    if (typeof address !== 'string' || !isPort(port)) return `${where} needs an address and a port`;
    if (!Array.isArray(prefixes) || prefixes.some((each) => typeof each !== 'string' || each === ''))
      return `${where}.prefixes must be a list of texts, or left out for all keys`;
    if (!(percentage > 0 && percentage <= 100)) return `${where}.percentage must be above 0, at most 100`;
    if (copies !== 'writes' && copies !== 'all') return `${where}.copies must be writes or all`;
    if (!Number.isInteger(queueBytes) || queueBytes < 1)
      return `${where}.queueBytes must be a number of bytes`;
  }
  return undefined;
}

function isAtLeast(value: unknown, least: number): boolean {
  return typeof value === 'number' && value >= least;
}

function isPort(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < 65_536;
}
