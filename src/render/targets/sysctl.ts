import { hugePagesUnit, limitsText, openFilesFor, sysctlText } from '../host-settings.ts';
import type { Target } from '../target.ts';

/** Kernel settings, limits and huge pages: the same for every host. Paths are relative to /etc. */
export const sysctlTarget: Target = {
  name: 'sysctl',
  summary: 'kernel settings, open-file limits and huge pages, for /etc',
  render({ spec }) {
    return [
      { name: 'sysctl.d/90-holdfast.conf', text: sysctlText(), secret: false },
      {
        name: 'security/limits.d/90-holdfast.conf',
        text: limitsText(spec.runAs, openFilesFor(spec)),
        secret: false,
      },
      { name: 'systemd/system/holdfast-hugepages.service', text: hugePagesUnit(), secret: false },
    ];
  },
};
