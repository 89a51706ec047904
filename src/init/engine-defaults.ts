/** What a setting is when nobody sets it, so that a spec says only what somebody chose. */
import { parseSize } from '../base/size.ts';
import { settingName } from '../spec/setting-name.ts';
import type { FoundSetting, Note } from './found.ts';

/** CONFIG GET * of a server that was given no configuration; empty where there is none to ask. */
export interface Engine {
  /** `redis-server 7.0.15`, for messages. */
  name: string;
  defaults: Readonly<Record<string, string>>;
}

export const noEngine: Engine = { name: 'no engine', defaults: {} };

/** Directives that CONFIG GET does not tell of. */
const onlyInFiles = new Set([
  'loadmodule',
  'rename-command',
  'user',
  'include',
  'loadmodule-ex',
  'databases',
]);

/** @returns what somebody set, and what the engine of this machine does not know. */
export function chosen(
  settings: readonly FoundSetting[],
  { name: engine, defaults }: Engine,
): { settings: FoundSetting[]; notes: Note[] } {
  if (Object.keys(defaults).length === 0) return { settings: [...settings], notes: [] };
  const known = new Map(Object.entries(defaults).map(([name, value]) => [settingName(name), value]));
  const notes: Note[] = [];
  const kept = settings.filter(({ name, value }) => {
    const usual = known.get(settingName(name));
    if (usual !== undefined) return !meansTheSame(value, usual);
    if (onlyInFiles.has(name)) return true;
    const why = `${engine} of this machine does not know it, and would not start with it`;
    notes.push({ path: ['redis'], what: `${name} ${value === '' ? '""' : value}`, why });
    return false;
  });
  return { settings: kept, notes };
}

/** Whether it is a setting; of any name that may be, where nobody can be asked. */
export function isSetting(name: string, { defaults }: Engine): boolean {
  const known = Object.keys(defaults).map(settingName);
  return known.length === 0 || onlyInFiles.has(name) || known.includes(settingName(name));
}

function meansTheSame(one: string, other: string): boolean {
  if (one.toLowerCase() === other.toLowerCase()) return true;
  const [size, usual] = [parseSize(one), parseSize(other)];
  return size !== undefined && size === usual;
}
