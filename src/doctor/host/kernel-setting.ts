import { kernelSettings, sysctlText } from '../../render/host-settings.ts';
import { type Check, ok, skipped } from '../check.ts';
import { kernelFile, sysctlFile } from './fixable-files.ts';
import { type HostFacts, numberIn } from './host-facts.ts';

const link = 'https://redis.io/docs/latest/operate/oss_and_stack/management/admin/';

/** The check of one kernel setting from the list that `render sysctl` writes. */
export function kernelCheck(id: string, name: string, severity: 'critical' | 'warning'): Check<HostFacts> {
  const setting = kernelSettings.find((each) => each.name === name);
  if (!setting) throw new TypeError(`no kernel setting ${name}`);
  const { value, atLeast, why } = setting;
  const file = kernelFile(name);
  return {
    id,
    why,
    link,
    look: (facts) => {
      const found = numberIn(facts.read(file));
      if (found === undefined) return [skipped(`${name} can't be read here`)];
      if (atLeast ? found >= value : found === value) return [ok(`${name} is ${found}`)];
      const wanted = `${atLeast ? 'at least ' : ''}${value}`;
      return [
        {
          severity,
          found: `${name} is ${found}; it should be ${wanted}`,
          fix: `sysctl -w ${name}=${value}, and a line in /etc/sysctl.d`,
          repair: {
            files: [
              { file, text: `${value}\n`, kind: 'live' },
              { file: sysctlFile, text: sysctlText(), kind: 'lasting' },
            ],
          },
        },
      ];
    },
  };
}
