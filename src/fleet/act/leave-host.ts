/** Takes a host out of the deployment: everything is stopped there, and what it has is put aside, out of the way. */
import { installedSpec, installedState } from '../../render/installed.ts';
import type { Spec } from '../../spec/spec.ts';
import { holdfastThere } from '../answering-host.ts';
import { hostsFile, secretsFolder, unitName } from '../plan/wanted.ts';
import type { SshHost } from '../ssh/connections.ts';
import { giveUpScript } from './virtual-address.ts';

const stopMs = 10 * 60_000;

/** The agent hands the primary over before it stops. What was done before is not done again. */
export async function leaveHost(spec: Spec, host: SshHost): Promise<void> {
  const down = holdfastThere(spec, ['down'], ['--host', host.id]).replace('exec ', '');
  const file = installedSpec(spec);
  const stop = `set -e
[ -f ${file} ] || exit 0
${down} >&2`;
  await host.run(stop, { as: 'holdfast', doing: 'stopping what runs there', timeoutMs: stopMs });
  const unit = unitName(spec);
  const aside = `${giveUpScript(spec)}
set -e
if [ -d /run/systemd/system ]; then systemctl disable -q --now ${unit} 2>/dev/null || true; rm -rf /etc/systemd/system/${unit} /etc/systemd/system/${unit}.d; fi
at=$(date +%Y%m%dT%H%M%S)
[ ! -d ${installedState(spec)} ] || mv ${installedState(spec)} ${installedState(spec)}.left-$at
rm -rf ${secretsFolder(spec)}
rm -f ${hostsFile(spec)} ${file}`;
  await host.run(aside, { as: 'root', doing: 'putting its state aside' });
}
