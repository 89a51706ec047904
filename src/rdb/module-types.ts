import { since } from './abilities.ts';
import { can, type Target } from './target.ts';

/**
 * Values of modules name the type that wrote them. A server loads them only when a module that has this type is loaded,
 * and most releases end when it is not. No command tells the types of a server; a command that comes with the type does.
 * The commands are those of the modules' own documentation. Vector sets are built into Redis, in the form of a module.
 */
const commands: Record<string, string> = {
  'ReJSON-RL': 'json.set',
  'MBbloom--': 'bf.add',
  MBbloomCF: 'cf.add',
  'CMSk-TYPE': 'cms.initbyprob',
  'TopK-TYPE': 'topk.reserve',
  'TDIS-TYPE': 'tdigest.create',
  'TSDB-TYPE': 'ts.create',
  bloomfltr: 'bf.add',
  graphdata: 'graph.query',
  vectorset: 'vadd',
};

/** Of these names of modules all types are known. */
const knownModules = new Set(['rejson', 'json', 'bf', 'timeseries', 'graph', 'vectorset']);

export const vectorSet = 'vectorset';

/** Which commands tell what a server can load; to be asked for. */
export const tellingCommands: readonly string[] = [...new Set(Object.values(commands))];

/**
 * What can be loaded by a server.
 * @param moduleNames what MODULE LIST gives. @param known those of `tellingCommands` that it has.
 */
export function loadedModules(
  moduleNames: readonly string[],
  known: ReadonlySet<string>,
): { types: string[]; hasOthers: boolean } {
  return {
    types: Object.keys(commands).filter((type) => known.has(commands[type]!)),
    hasOthers: moduleNames.some((name) => !knownModules.has(name.toLowerCase())),
  };
}

/** Why the target can't load values of this type; undefined when it can, or nobody knows. */
export function lacksModule(target: Target, type: string): string | undefined {
  const modules = target.server?.modules;
  if (modules !== undefined) {
    const isKnown = Object.hasOwn(commands, type);
    if (modules.types.includes(type) || (!isKnown && modules.hasOthers)) return undefined;
    return `a value of type ${type}, and the server has no module for it`;
  }
  if (type === vectorSet && !can(target, 'vectorSets')) {
    return `vector sets came with ${since.vectorSets.text}`;
  }
  return undefined;
}

/** Whether it depends on a module that nobody asked the target for. */
export function needsModule(target: Target, type: string): boolean {
  return target.server !== undefined && target.server.modules === undefined && type !== vectorSet;
}
