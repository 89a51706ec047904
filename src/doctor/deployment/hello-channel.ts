import { helloChannel, mayPublishHello } from '../../spec/hello-channel.ts';
import { type Check, type Finding, ok } from '../check.ts';
import { type DeploymentFacts, type LiveMember, liveMembers } from './facts.ts';

export const helloPublishers: Check<DeploymentFacts> = {
  id: 'hello-channel',
  why: `Whoever may publish to ${helloChannel} can have every Sentinel follow a server of theirs, and the primary with them.`,
  link: 'https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/#selectors',
  look: (facts) => {
    const findings = liveMembers(facts).flatMap(lookAt);
    return findings.length > 0 ? findings : [ok(`no application user may publish to ${helloChannel}`)];
  },
};

function lookAt({ place, users }: LiveMember): Finding[] {
  return users.flatMap((line): Finding[] => {
    const [, name = '', ...rules] = line.split(' ');
    const own = name.startsWith('holdfast-');
    if (own || !rules.includes('on') || !mayPublishHello(rules.join(' '))) return [];
    return [
      {
        severity: 'warning',
        subject: `${place.id}, user ${name}`,
        found: `it may publish to ${helloChannel}, where the Sentinels tell each other who is primary`,
        fix: 'holdfast apply gives every user of the spec rules that leave this channel out. With Redis 6.2 name a user’s channels under security.users instead of all, or upgrade to 7.',
      },
    ];
  });
}
