import type { Problem } from '../problems.ts';
import type { Spec } from '../spec.ts';

/** What of a route can be seen without asking anyone. */
export function routeRules({ gate: { routes } }: Spec): Problem[] {
  const owners = new Map<string, string>();
  return routes.flatMap(
    ({ name, to, prefixes, removePrefix, readsHere, password, ca, faults }): Problem[] => {
      const path = ['gate', 'routes', name];
      const problems: Problem[] = [];
      for (const [index, prefix] of prefixes.entries()) {
        const owner = owners.get(prefix);
        if (owner !== undefined)
          problems.push({
            path: [...path, 'prefixes', index],
            message: `'${prefix}' belongs to ${owner} already`,
          });
        owners.set(prefix, name);
      }
      const user = /\/\/([^@]*)@/.exec(to)?.[1];
      if (user !== undefined && password === null) {
        const message = `the user ${user} has no password; set \`password\` beside it`;
        problems.push({ path: [...path, 'to'], message });
      }
      if (removePrefix && readsHere) {
        const message =
          'with removePrefix the copy here would have other keys than the target; leave one of them out';
        problems.push({ path: [...path, 'readsHere'], message });
      }
      if (ca !== null && !/^(rediss|sentinels):/.test(to)) {
        const message = 'it has no meaning without TLS; say rediss:// or sentinels:// in `to`, or remove it';
        problems.push({ path: [...path, 'ca'], message });
      }
      for (const [index, { delayMs, error }] of faults.entries()) {
        if (delayMs > 0 || error !== null) continue;
        const message = 'it does nothing; say delay, error, or both';
        problems.push({ path: [...path, 'faults', index], message });
      }
      return problems;
    },
  );
}
