import { productOf } from '../../redis/info.ts';
import { type Check, ok } from '../check.ts';
import { type DeploymentFacts, liveMembers } from './facts.ts';

/**
 * The first version of each branch without CVE-2025-49844 (remote code execution through Lua, for anyone who may run
 * scripts) and those before it. Branches that are not listed get no fixes any more. Sources: the release notes of Redis
 * and Valkey of 3 October 2025.
 */
const fixed: Record<'redis' | 'valkey', Record<string, number>> = {
  redis: { '6.2': 20, '7.2': 11, '7.4': 6, '8.0': 4, '8.2': 2 },
  valkey: { '7.2': 11, '8.0': 6, '8.1': 4 },
};

export const version: Check<DeploymentFacts> = {
  id: 'version',
  why: 'CVE-2025-49844: whoever may run scripts can run any code in an unpatched server.',
  link: 'https://nvd.nist.gov/vuln/detail/CVE-2025-49844',
  look: (facts) =>
    liveMembers(facts).map(({ place, info }) => {
      const { name: product, version: text } = productOf(info);
      if (isFixed(product, text)) return ok(`${product} ${text}`, place.id);
      return {
        severity: 'warning',
        subject: place.id,
        found: `${product} ${text} has known holes, unless your distribution has patched it`,
        fix: 'Debian and others patch without a new number: see their changelog. Else upgrade, replicas first: holdfast restart --rolling.',
      };
    }),
};

function isFixed(product: 'redis' | 'valkey', text: string): boolean {
  const [major = 0, minor = 0, patch = 0] = text.split('.').map(Number);
  const least = fixed[product][`${major}.${minor}`];
  if (least !== undefined) return patch >= least;
  const branches = Object.keys(fixed[product]).map(Number);
  return major + minor / 10 > Math.max(...branches);
}
