import { type Check, ok, skipped } from '../check.ts';
import type { HostFacts } from './host-facts.ts';

export const fileSystem: Check<HostFacts> = {
  id: 'file-system',
  why: 'Data on tmpfs is gone with the next boot; on a network file system an fsync can take seconds, and locks may lie.',
  link: 'https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/',
  look: ({ read, stateDir }) => {
    const mounts = (read('/proc/mounts') ?? '').split('\n').map((line) => line.split(' '));
    const above = mounts.filter(
      ([, at = '']) => at === '/' || stateDir === at || stateDir.startsWith(`${at}/`),
    );
    // Of mounts at one place the last one hides the others.
    const mount = above.toReversed().toSorted(([, a = ''], [, b = '']) => b.length - a.length)[0];
    const type = mount?.[2];
    if (type === undefined) return [skipped('/proc/mounts does not tell')];
    if (type === 'tmpfs' || type === 'ramfs') {
      const fix = 'Choose a --state-dir on a disk.';
      return [
        { severity: 'critical', subject: stateDir, found: `it is on ${type}: memory, not a disk`, fix },
      ];
    }
    if (/^(nfs4?|cifs|smb3|9p|fuse\.sshfs|glusterfs|ceph)$/.test(type)) {
      const fix = 'Choose a --state-dir on a local disk: replicas, not the file system, keep the copies.';
      return [
        { severity: 'warning', subject: stateDir, found: `it is on ${type}, a network file system`, fix },
      ];
    }
    return [ok(`the state directory is on ${type}`)];
  },
};
