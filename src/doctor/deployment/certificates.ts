import { type Check, type Finding, ok } from '../check.ts';
import type { DeploymentFacts } from './facts.ts';

const dayMs = 86_400_000;

export const certificates: Check<DeploymentFacts> = {
  id: 'certificates',
  why: 'When a certificate expires, replication, Sentinels and clients stop together, at midnight.',
  link: 'https://redis.io/docs/latest/operate/oss_and_stack/management/security/encryption/',
  look: (facts) =>
    facts.certificates.map(({ file, validToMs, error }): Finding => {
      const fix =
        'security.tls: auto: holdfast certs renew. Your own file: renew it where it is; it is taken up while everything runs, by Sentinels when they restart.';
      if (error !== '')
        return { severity: 'critical', subject: file, found: `it can't be read: ${error}`, fix };
      const days = Math.floor((validToMs - facts.wallMs) / dayMs);
      if (days < 0)
        return { severity: 'critical', subject: file, found: `it expired ${-days} days ago`, fix };
      if (days < 7) return { severity: 'critical', subject: file, found: `it expires in ${days} days`, fix };
      if (days < 30) return { severity: 'warning', subject: file, found: `it expires in ${days} days`, fix };
      return ok(`it is valid for ${days} days`, file);
    }),
};
