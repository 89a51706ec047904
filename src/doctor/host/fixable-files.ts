/** Every file that `doctor --fix` may write, and so the only ones that `doctor --undo` restores. */
import { hugePagesFile, kernelSettings } from '../../render/host-settings.ts';

export const hugePagesUnitName = 'holdfast-hugepages.service';
export const hugePagesUnitFile = `/etc/systemd/system/${hugePagesUnitName}`;
export const hugePagesDropIn = '/etc/systemd/system/basic.target.d/holdfast-hugepages.conf';
export const sysctlFile = '/etc/sysctl.d/90-holdfast.conf';
export const limitsFile = '/etc/security/limits.d/90-holdfast.conf';

/** @param name as sysctl has it: `vm.overcommit_memory`. */
export function kernelFile(name: string): string {
  return `/proc/sys/${name.replaceAll('.', '/')}`;
}

const files = new Set([
  ...kernelSettings.map(({ name }) => kernelFile(name)),
  ...[hugePagesFile, hugePagesUnitFile, hugePagesDropIn, sysctlFile, limitsFile],
]);

export function isFixable(file: string): boolean {
  return files.has(file);
}
