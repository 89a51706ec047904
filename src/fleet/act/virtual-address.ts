/** Has a host take part in who has the virtual address, or not any more. Done again, each changes nothing. */
import type { Spec } from '../../spec/spec.ts';
import {
  type AddressFiles,
  type AddressStep,
  addressFiles,
  keepalivedWords,
} from '../plan/virtual-address.ts';
import type { SshHost } from '../ssh/connections.ts';

/** @throws REMOTE_FAILED and what ssh says */
export async function moveAddress(spec: Spec, host: SshHost, { does, frees }: AddressStep): Promise<void> {
  const files = addressFiles(spec);
  const script = does === 'take-up' ? takeUpScript(files, frees) : giveUpScript(spec);
  const doing = does === 'take-up' ? 'starting keepalived' : 'stopping keepalived';
  await host.run(script, { as: 'root', doing });
}

/** One that runs reads it anew: the address stays where it is. */
function takeUpScript(files: AddressFiles, frees: boolean): string {
  return `set -e
export PATH="$PATH:/usr/sbin:/sbin"
${frees ? 'setsebool -P keepalived_connect_any on' : ''}
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  systemctl enable -q ${files.unit}
  systemctl reload-or-restart ${files.unit}
  exit 0
fi
cp ${files.conf} ${files.told}
${findPid(files)}
if [ -n "$pid" ]; then kill -HUP "$pid"; else keepalived ${keepalivedWords(files)} </dev/null >/dev/null 2>&1; fi`;
}

/** Also for a host that never had it. */
export function giveUpScript(spec: Spec): string {
  const files = addressFiles(spec);
  return `if [ -d /run/systemd/system ]; then
  systemctl disable -q --now ${files.unit} 2>/dev/null || true
  rm -f /etc/systemd/system/${files.unit}
else
${findPid(files)}
  if [ -n "$pid" ]; then
    kill "$pid"
    for each in $(seq 100); do [ -d "/proc/$pid" ] || break; sleep 0.1; done
  fi
fi
rm -f ${files.told} ${files.conf}`;
}

/** A pid that another process has by now is not taken for it. */
function findPid({ pid }: AddressFiles): string {
  return `pid=$(cat ${pid} 2>/dev/null || true)
if [ "$(cat "/proc/$pid/comm" 2>/dev/null)" != keepalived ]; then pid=; fi`;
}
