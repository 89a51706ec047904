import { type Check, type Finding, ok } from '../check.ts';
import { type DeploymentFacts, liveMembers } from './facts.ts';

const mostMs = 1000;

export const clocks: Check<DeploymentFacts> = {
  id: 'clocks',
  why: 'Expiry travels as wall-clock time: on a host whose clock is off, keys die early or live on after a failover.',
  link: 'https://redis.io/docs/latest/commands/expire/',
  look: (facts) =>
    liveMembers(facts).flatMap(({ place, info, askedAtMs }): Finding[] => {
      // Since Redis 7.0; older ones don't say.
      const told = Number(info['server_time_usec']) / 1000;
      if (Number.isNaN(told)) return [];
      const off = Math.round(told - askedAtMs);
      if (Math.abs(off) <= mostMs) return [ok('its clock agrees with this host’s', place.id)];
      const found = `its clock is ${Math.abs(off) / 1000} s ${off > 0 ? 'ahead of' : 'behind'} this host's`;
      return [{ severity: 'warning', subject: place.id, found, fix: 'Run chrony on every host.' }];
    }),
};
