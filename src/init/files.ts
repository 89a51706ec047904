/** Files to what runs by them: which kind each is, and who reads it. Pure. */

import { foundInBitnami, isBitnami } from './bitnami.ts';
import { at, isMap, readValues, type Values } from './chart-values.ts';
import { type ConfFile, foundInConfs, isSentinelConf } from './conf-files.ts';
import type { Engine } from './engine-defaults.ts';
import { SourceUnknown } from './errors.ts';
import type { Found } from './found.ts';
import { noConfiguration } from './no-configuration.ts';
import { foundInRedisHa, isRedisHa } from './redis-ha.ts';

export const charts = ['bitnami/redis', 'dandydev/redis-ha'] as const;
export type Chart = (typeof charts)[number];

/** @param chart whose values a YAML file holds, where that can't be told. @throws INIT_SOURCE_UNKNOWN, INIT_SOURCE_UNREADABLE */
export function foundInFiles(files: readonly ConfFile[], chart: Chart | undefined, engine: Engine): Found {
  const values = files.filter(({ file, text }) => isYaml(file, text));
  if (values.length === 0) {
    if (files.filter(({ text }) => isSentinelConf(text)).length > 1) {
      throw SourceUnknown('several files are sentinel.conf', {
        hint: 'One of them is enough: it names the others.',
      });
    }
    return foundInConfs(files, engine);
  }
  const [only] = values;
  if (only === undefined || files.length > 1) {
    throw SourceUnknown('values of a chart stand alone', {
      hint: 'One --from with the values, and no other.',
    });
  }
  const read = readValues(only.text, only.file);
  const { which, values: own } = chartOf(read, chart, only.file);
  return which === 'bitnami/redis' ? foundInBitnami(own, engine) : foundInRedisHa(own, engine);
}

function isYaml(file: string, text: string): boolean {
  if (/\.ya?ml$/i.test(file)) return true;
  if (/\.conf$/i.test(file)) return false;
  return /^[A-Za-z][\w-]*:(\s|$)/m.test(text);
}

/** A chart that is a part of another has its values under its name. */
function chartOf(values: Values, chart: Chart | undefined, file: string): { which: Chart; values: Values } {
  for (const name of ['redis-ha', 'redisha', 'redis']) {
    const part = at(values, name);
    if (!isMap(part) || isRedisHa(values)) continue;
    const isOwn = name === 'redis' ? isBitnami(part) : true;
    if (isOwn)
      return { which: chart ?? (name === 'redis' ? 'bitnami/redis' : 'dandydev/redis-ha'), values: part };
  }
  if (chart !== undefined) return { which: chart, values };
  const [ha, bitnami] = [isRedisHa(values), isBitnami(values)];
  if (ha !== bitnami) return { which: ha ? 'dandydev/redis-ha' : 'bitnami/redis', values };
  const keys = Object.keys(values);
  if (keys.length === 0) throw noConfiguration(`${file} has no values`);
  if (ha) {
    throw SourceUnknown(`whose values ${file} holds can't be told: they may be of either chart`, {
      hint: `Say --chart with one of ${charts.join(', ')}.`,
    });
  }
  const shown = `${keys.slice(0, shownKeys).join(', ')}${keys.length > shownKeys ? ', …' : ''}`;
  throw noConfiguration(
    `${file} has values of neither chart, by its keys (${shown})`,
    isSpec(values)
      ? 'It looks like a spec of holdfast already: holdfast up starts what it says.'
      : `If they are of one of them, and few, say --chart with ${charts.join(' or ')}.`,
  );
}

const shownKeys = 8;

function isSpec(values: Values): boolean {
  const own = ['redis', 'sentinel', 'gate', 'agent', 'hosts', 'security', 'backup', 'topology'];
  return (
    typeof values['name'] === 'string' &&
    Object.keys(values).every((key) => key === 'name' || own.includes(key))
  );
}
