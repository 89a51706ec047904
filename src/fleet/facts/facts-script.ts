import { hugePagesFile, kernelSettings } from '../../render/host-settings.ts';
import { shellLine, shellWord } from '../shell.ts';

/** What of a machine the doctor's checks read. */
const machineFiles = [
  ...['/proc/meminfo', '/proc/mounts', '/proc/cpuinfo', '/proc/swaps', hugePagesFile],
  ...['/sys/fs/cgroup/memory.max', '/sys/fs/cgroup/memory/memory.limit_in_bytes'],
  '/run/systemd/timesync/synchronized',
  ...kernelSettings.map(({ name }) => kernelPath(name)),
];

export function kernelPath(name: string): string {
  return `/proc/sys/${name.replaceAll('.', '/')}`;
}

export const installRoot = '/opt/holdfast';
/** In which each deployment has its state. */
export const stateRoot = '/var/lib/holdfast';

export interface AskedFacts {
  stateDir: string;
  /** Of what lies in it only digests are told. */
  secretsFolder: string;
  /** Who everything runs as. */
  runAs: string;
  /** Of servers and Sentinels there, whose owners are told. */
  ports: readonly number[];
  /** Of the host. */
  address: string;
  /** Of the deployment's keepalived: its pid file, and what it was told. */
  keepalived: { pid: string; told: string };
  /** Paths whose text is told. */
  files: readonly string[];
}

/**
 * Tells everything that a plan needs, in lines of `key TAB value`; it changes nothing, and needs a shell and coreutils only.
 * Texts are in base64. Of what is secret it tells digests.
 */
export function factsScript({
  stateDir,
  secretsFolder,
  runAs,
  ports,
  address,
  keepalived,
  files,
}: AskedFacts): string {
  return `export LC_ALL=C
say() { printf '%s\\t%s\\n' "$1" "$2"; }
digest() { sha256sum < "$1" | cut -c 1-64; }
text() { [ -r "$1" ] && say "text $1" "$(head -c 262144 "$1" 2>/dev/null | base64 | tr -d '\\n')"; }
say machine "$(uname -s) $(uname -m)"
say os "$(. /etc/os-release 2>/dev/null; echo "$ID $ID_LIKE")"
[ -d /run/systemd/system ] && say systemd yes
export PATH="$PATH:/usr/sbin:/sbin"
for each in apt-get dnf runuser useradd flock timeout tar gzip sha256sum keepalived haproxy redis-cli valkey-cli; do
  command -v "$each" >/dev/null && say program "$each"
done
for each in redis-server valkey-server; do
  found=$(command -v "$each") && say "server $found" "$("$found" --version 2>/dev/null | head -n 1)"
done
current=${installRoot}/current
[ -x $current/bin/holdfast ] && [ -x $current/node ] && [ -f $current/dist/cli/main.js ] && say current "$(readlink $current)"
say previous "$(readlink ${installRoot}/previous)"
[ -x /usr/local/bin/holdfast ] && say command "$(readlink /usr/local/bin/holdfast)"
id -u ${runAs} >/dev/null 2>&1 && say user yes
[ -d ${stateRoot} ] && say owner "$(stat -c %U ${stateRoot})"
for each in ${ports.join(' ')}; do
  hex=$(printf '%04X' "$each")
  cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | while read -r _ local _ state _ _ _ uid _; do
    case "$state $local" in "0A "*":$hex") say "listener $each" "$(id -nu "$uid" 2>/dev/null || echo "$uid")" ;; esac
  done
done
for each in secret secret-coming secret-former secret-gone; do
  [ -s "${stateDir}/$each" ] && say "$each" "$(digest "${stateDir}/$each")"
done
pid=$(sed -n 's/.*"pid":\\([0-9]*\\).*/\\1/p' ${stateDir}/agent.json 2>/dev/null)
if [ -n "$pid" ] && tr '\\0' ' ' < "/proc/$pid/cmdline" 2>/dev/null | grep -q ' up '; then
  say agent "$(readlink "/proc/$pid/exe")"
fi
say device "$(ip -o addr show to ${shellWord(address)} 2>/dev/null | sed -n '1s/^[0-9]*: *\\([^ ]*\\).*/\\1/p')"
say addresses "$(ip -o addr show 2>/dev/null | tr -s ' ' | cut -d ' ' -f 4 | cut -d / -f 1 | tr '\\n' ' ')"
if [ "$(cat "/proc/$(cat ${keepalived.pid} 2>/dev/null)/comm" 2>/dev/null)" = keepalived ] && [ -f ${keepalived.told} ]; then
  say keepalived "$(digest ${keepalived.told})"
fi
case $(getsebool keepalived_connect_any 2>/dev/null) in *off) say selinux holds-keepalived ;; esac
[ -s ${stateDir}/fleet-restarts ] && say restarts "$(tr '\\n' ' ' < ${stateDir}/fleet-restarts)"
say free "$(df -Pk /var/lib | tail -n 1 | tr -s ' ' | cut -d ' ' -f 4)"
say freeopt "$(df -Pk /opt | tail -n 1 | tr -s ' ' | cut -d ' ' -f 4)"
[ -w ${kernelPath(kernelSettings[0]?.name ?? '')} ] && [ ! "$(grep -c ' /proc/sys proc ro' /proc/mounts)" -gt 0 ] && say kernel writable
say now "$(date +%s)"
cat /proc/[0-9]*/comm 2>/dev/null | sort -u | while read -r each; do say comm "$each"; done
for each in ${shellLine(machineFiles)}; do text "$each"; done
for each in ${shellLine(files)}; do
  [ -f "$each" ] && say "rights $each" "$(stat -c '%a %U:%G' "$each")" && text "$each"
done
for each in ${secretsFolder}/*; do
  [ -f "$each" ] && say secretfile "$each" && say "rights $each" "$(stat -c '%a %U:%G' "$each")" && say "digest $each" "$(digest "$each")"
done
say end yes
`;
}
