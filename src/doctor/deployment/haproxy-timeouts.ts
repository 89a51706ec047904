import { parseDuration } from '../../base/duration.ts';
import { type Check, type Finding, ok } from '../check.ts';
import type { DeploymentFacts } from './facts.ts';

const leastMs = 3_600_000;

export const haproxyTimeouts: Check<DeploymentFacts> = {
  id: 'haproxy-timeouts',
  why: 'Connection pools, blocked pops and subscribers are silent for long: a short timeout cuts them as if they were dead.',
  link: 'https://docs.haproxy.org/2.6/configuration.html#4.2-timeout%20client',
  look: ({ haproxy }) =>
    haproxy.flatMap(({ gate, text }): Finding[] => {
      const short = ['client', 'server'].flatMap((side) => {
        // Milliseconds when there is no unit, as HAProxy has it. Sections about HTTP are pages for people.
        const written = new RegExp(`^\\s*timeout ${side}\\s+(\\d+)(ms|s|m|h|d)?\\b`, 'm').exec(text);
        const ms = written ? parseDuration(`${written[1]}${written[2] ?? 'ms'}`) : undefined;
        return ms !== undefined && ms > 0 && ms < leastMs ? [`timeout ${side} is ${ms / 1000} s`] : [];
      });
      if (short.length === 0) return [ok('idle connections are left alone', gate)];
      const fix =
        'Raise both (24d), and use option clitcpka and srvtcpka to find the dead: holdfast render haproxy does.';
      return [{ severity: 'warning', subject: gate, found: short.join(', '), fix }];
    }),
};
