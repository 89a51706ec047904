import { hugePagesFile, hugePagesUnit, hugePagesWhy } from '../../render/host-settings.ts';
import { type Check, ok, skipped } from '../check.ts';
import { hugePagesDropIn, hugePagesUnitFile, hugePagesUnitName } from './fixable-files.ts';
import type { HostFacts } from './host-facts.ts';

export const hugePages: Check<HostFacts> = {
  id: 'huge-pages',
  why: hugePagesWhy,
  link: 'https://redis.io/docs/latest/operate/oss_and_stack/management/optimization/latency/',
  look: (facts) => {
    const text = facts.read(hugePagesFile);
    if (text === undefined)
      return [skipped('this kernel has no transparent huge pages, or does not show them')];
    const chosen = /\[(\w+)\]/.exec(text)?.[1];
    if (chosen !== 'always') return [ok(`transparent huge pages: ${chosen}`)];
    return [
      {
        severity: 'warning',
        found: 'transparent huge pages are always on',
        fix: `echo madvise > ${hugePagesFile}, at each boot`,
        repair: {
          files: [
            { file: hugePagesFile, text: 'madvise', kind: 'live' },
            { file: hugePagesUnitFile, text: hugePagesUnit(), kind: 'lasting' },
            // What `systemctl enable` would link, as a drop-in that is only a file.
            {
              file: hugePagesDropIn,
              text: `[Unit]\nWants=${hugePagesUnitName}\n`,
              kind: 'lasting',
            },
          ],
        },
      },
    ];
  },
};
