import { type Check, ok, skipped } from '../check.ts';
import type { HostFacts } from './host-facts.ts';

const daemons = ['chronyd', 'ntpd', 'systemd-timesyn', 'openntpd', 'timemaster', 'ptp4l'];

export const time: Check<HostFacts> = {
  id: 'time-synchronisation',
  why: 'A clock that jumps puts Sentinels into TILT (30 s in which they do nothing), and expires keys early or late.',
  link: 'https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/',
  look: ({ read, list }) => {
    if (read('/run/systemd/timesync/synchronized') !== undefined)
      return [ok('systemd-timesyncd has synchronised the clock')];
    const processes = list('/proc').filter((name) => /^\d+$/.test(name));
    if (processes.length === 0) return [skipped('/proc does not show processes')];
    const found = processes
      .map((pid) => read(`/proc/${pid}/comm`))
      .find((name) => daemons.includes(name ?? ''));
    if (found !== undefined) return [ok(`${found} keeps the clock`)];
    return [
      {
        severity: 'warning',
        found: 'nothing that keeps the clock is running (chronyd, ntpd, systemd-timesyncd)',
        fix: 'Install chrony; let it slew, not step, once the machine is up.',
      },
    ];
  },
};
