/**
 * What the Helm charts bitnami/redis and dandydev/redis-ha have in common: values as people give them, which are read over
 * the chart's own; and configuration in them as text. Sources of names and defaults: values.yaml of both charts.
 */
import { parseDocument } from 'yaml';
import { redisWords } from '../render/redis-quote.ts';
import { settingsOf } from './conf-files.ts';
import { SourceUnreadable } from './errors.ts';
import type { FoundSetting, Note } from './found.ts';

export type Values = Record<string, unknown>;

export const render = '`holdfast render kubernetes`';
/** Why what both charts know is not carried over. */
export const whyNot = {
  resources: `${render} has them as values, and \`holdfast size\` says what a dataset needs`,
  volumeSize: `${render} has the size of the volumes as a value`,
  tls: `${render} does not render TLS; on servers say security.tls with files`,
  sentinelConf: 'holdfast writes sentinel.conf from the keys here',
};

/** @throws INIT_SOURCE_UNREADABLE for what is no map in YAML. */
export function readValues(text: string, file: string): Values {
  const document = parseDocument(text, { logLevel: 'error' });
  const [broken] = document.errors;
  const value: unknown = broken === undefined ? document.toJS({ maxAliasCount: 100 }) : undefined;
  if (isMap(value)) return value;
  const [why] = broken === undefined ? [''] : broken.message.split('\n');
  throw SourceUnreadable(`${file} is no map in YAML${why === '' ? '' : `: ${why}`}`, {
    hint: 'Name the values as Helm takes them: helm get values RELEASE -o yaml > values.yaml',
  });
}

/** What stands at a place, or undefined. */
export function at(values: Values, ...path: string[]): unknown {
  let found: unknown = values;
  for (const key of path) found = isMap(found) && Object.hasOwn(found, key) ? found[key] : undefined;
  return found ?? undefined;
}

export function textAt(values: Values, ...path: string[]): string {
  const found = at(values, ...path);
  return typeof found === 'string' || typeof found === 'number' || typeof found === 'boolean'
    ? String(found)
    : '';
}

/** @param usual the chart's own. */
export function numberAt(values: Values, usual: number, ...path: string[]): number {
  const text = textAt(values, ...path);
  return /^\d{1,9}$/.test(text) ? Number(text) : usual;
}

export function flagAt(values: Values, usual: boolean, ...path: string[]): boolean {
  const text = textAt(values, ...path);
  return text === '' ? usual : text === 'true';
}

export function listAt(values: Values, usual: readonly string[], ...path: string[]): string[] {
  const found = at(values, ...path);
  return Array.isArray(found) ? found.map(String) : [...usual];
}

/** Directives in a text of the values: settings, and the lines that CONFIG GET knows nothing of. */
export function directivesOf(text: string): {
  settings: FoundSetting[];
  lines: { name: string; words: string[] }[];
} {
  const lines = text.split(/\r?\n/).flatMap((line) => {
    const [name, ...words] = line.trim().startsWith('#') ? [] : (redisWords(line) ?? []);
    return name === undefined ? [] : [{ name: name.toLowerCase(), words }];
  });
  return { settings: settingsOf(lines), lines };
}

/** Settings of texts that the chart writes one after the other: the last one counts. */
export function overlaid(...layers: readonly (readonly FoundSetting[])[]): FoundSetting[] {
  const all = new Map(layers.flat().map(({ name, value }) => [name, value]));
  return [...all].map(([name, value]) => ({ name, value }));
}

/** What a chart does beside Redis itself, and what does it here. */
export function besides(values: Values, list: readonly [path: string, note: Note][]): Note[] {
  return list.filter(([path]) => isThere(at(values, ...path.split('.')))).map(([, note]) => note);
}

function isThere(value: unknown): boolean {
  if (value === undefined || value === false || value === '' || value === 0) return false;
  if (isMap(value)) return Object.values(value).some(isThere);
  return !Array.isArray(value) || value.length > 0;
}

export function isMap(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
