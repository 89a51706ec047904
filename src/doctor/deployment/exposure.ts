import { type Check, type Finding, ok } from '../check.ts';
import { type DeploymentFacts, type LiveMember, liveMembers } from './facts.ts';

export const exposure: Check<DeploymentFacts> = {
  id: 'exposure',
  why: 'A Redis that the world can reach is found within minutes, and without TLS its passwords can be read on the way.',
  link: 'https://redis.io/docs/latest/operate/oss_and_stack/management/security/',
  look: (facts) => liveMembers(facts).flatMap(lookAt),
};

function lookAt({ place, config, users }: LiveMember): Finding[] {
  const subject = place.id;
  const world = (config['bind'] ?? '')
    .split(' ')
    .some((address) => /^-?(\*|0\.0\.0\.0|::|::\*)$/.test(address));
  const plain = Number(config['port'] ?? 0) !== 0;
  const open = users.some(
    (line) => line.startsWith('user default on ') && line.split(' ').includes('nopass'),
  );
  if (config['protected-mode'] === 'no' && open) {
    const fix = 'CONFIG SET protected-mode yes, now; then give the default user a password.';
    return [
      {
        severity: 'critical',
        subject,
        found: 'protected-mode is off and the default user has no password',
        fix,
      },
    ];
  }
  if (config['protected-mode'] === 'no') {
    const fix = 'CONFIG SET protected-mode yes: it costs nothing, and guards against the next mistake.';
    return [{ severity: 'warning', subject, found: 'protected-mode is off', fix }];
  }
  if (world && plain) {
    const fix = 'Name addresses under hosts.<name>.bind, or use security.tls; and keep a firewall before it.';
    return [{ severity: 'warning', subject, found: 'it listens on all interfaces, without TLS', fix }];
  }
  return [
    ok(world ? 'it listens on all interfaces, with TLS only' : `it listens on ${config['bind']}`, subject),
  ];
}
