import { limitsText, openFilesFor } from '../../render/host-settings.ts';
import { type Check, ok, skipped } from '../check.ts';
import { limitsFile } from './fixable-files.ts';
import type { HostFacts } from './host-facts.ts';

export const openFiles: Check<HostFacts> = {
  id: 'open-files',
  why: 'Each client is an open file: at the limit, new clients are turned away while the server is healthy.',
  link: 'https://redis.io/docs/latest/develop/reference/clients/',
  look: (facts) => {
    const line = /^Max open files\s+(\d+|unlimited)\s+(\d+|unlimited)/m.exec(
      facts.read('/proc/self/limits') ?? '',
    );
    if (!line) return [skipped('/proc/self/limits does not tell about open files')];
    const hard = line[2] === 'unlimited' ? Number.POSITIVE_INFINITY : Number(line[2]);
    const wanted = openFilesFor(facts.spec);
    if (hard >= wanted) return [ok(`${line[2]} open files are allowed, ${wanted} are wanted`)];
    return [
      {
        severity: 'warning',
        found: `${hard} open files are allowed; ${facts.spec.gate.limits.maxClients} clients want ${wanted}`,
        fix: `LimitNOFILE=${wanted} in the unit, or nofile in /etc/security/limits.d (for the next login)`,
        repair: {
          files: [
            {
              file: limitsFile,
              text: limitsText(facts.spec.runAs, wanted),
              kind: 'lasting',
            },
          ],
        },
      },
    ];
  },
};
