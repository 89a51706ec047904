import { isLoopback } from '../../spec/address.ts';
import { splitRules } from '../../spec/hello-channel.ts';
import { type Check, type Finding, ok } from '../check.ts';
import { type DeploymentFacts, type LiveMember, liveMembers } from './facts.ts';

export const dangerousCommands: Check<DeploymentFacts> = {
  id: 'dangerous-commands',
  why: 'An application that may run FLUSHALL, CONFIG or REPLICAOF can, by a bug or a break-in, lose or steal everything.',
  link: 'https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/',
  look: (facts) => {
    const findings = liveMembers(facts).flatMap(lookAt);
    return findings.length > 0 ? findings : [ok('no application user may run dangerous commands')];
  },
};

function lookAt({ place, users, config }: LiveMember): Finding[] {
  const bind = (config['bind'] ?? '').split(' ').map((address) => address.replace(/^-/, ''));
  const local = bind.length > 0 && bind.every(isLoopback);
  return users.flatMap((line): Finding[] => {
    const [, name = '', ...rules] = line.split(' ');
    if (name.startsWith('holdfast-') || !rules.includes('on') || !allowsDangerous(rules.join(' '))) return [];
    const open = rules.includes('nopass');
    // On loopback, without a password, it is a development machine: everyone there can read the files as well.
    if (local && open) return [];
    return [
      {
        severity: open ? 'critical' : 'warning',
        subject: `${place.id}, user ${name}`,
        found: open ? 'it has every right, without a password' : 'it may run dangerous commands',
        fix: 'Give applications users of their own under security.users; their default rules leave these out.',
      },
    ];
  });
}

/** Of the rules about all commands, or about the dangerous ones, the last decides: in the root, and in each selector. */
function allowsDangerous(rules: string): boolean {
  const { root, selectors } = splitRules(rules);
  return [root, ...selectors].some(lastAllows);
}

function lastAllows(rules: readonly string[]): boolean {
  const last = rules.findLast((rule) => /^([+-]@(all|dangerous|admin)|allcommands|nocommands)$/.test(rule));
  return last !== undefined && (last.startsWith('+') || last === 'allcommands');
}
