import { type Check, type Finding, ok } from '../check.ts';
import type { DeploymentFacts } from './facts.ts';

const leastLength = 16;

export const passwords: Check<DeploymentFacts> = {
  id: 'passwords',
  why: 'Redis answers a hundred thousand guesses a second: a password that people can remember does not last a day.',
  link: 'https://redis.io/docs/latest/operate/oss_and_stack/management/security/',
  look: ({ secrets }) => {
    const findings = Object.entries(secrets.users).flatMap(([name, password]): Finding[] => {
      const weak = weakness(name, password);
      if (weak === undefined) return [];
      const fix = 'Make one with: openssl rand -base64 32';
      return [{ severity: 'critical', subject: `user ${name}`, found: `its password ${weak}`, fix }];
    });
    return findings.length > 0 ? findings : [ok('no password of a user in the spec is weak')];
  },
};

function weakness(name: string, password: string): string | undefined {
  if (password.toLowerCase().includes(name.toLowerCase())) return 'has the user’s name in it';
  if (/^(.)\1*$/.test(password)) return 'is one character again and again';
  if (/password|passwort|secret|redis|changeme|foobared|123456|qwert/i.test(password))
    return 'is among the first to be guessed';
  if (password.length < leastLength) return `is shorter than ${leastLength} characters`;
  return undefined;
}
