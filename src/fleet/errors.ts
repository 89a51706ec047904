import { defineError } from '../base/errors.ts';

export const SshMissing = defineError('SSH_MISSING', 1);
export const HostUnreachable = defineError('HOST_UNREACHABLE', 1);
export const HostKeyUnknown = defineError('HOST_KEY_UNKNOWN', 1);
export const HostKeyChanged = defineError('HOST_KEY_CHANGED', 1);
export const SshLoginRefused = defineError('SSH_LOGIN_REFUSED', 1);
export const NoSudo = defineError('NO_SUDO', 1);
export const HostDiskFull = defineError('HOST_DISK_FULL', 1);
export const RemoteFailed = defineError('REMOTE_FAILED', 1);
export const FleetRefused = defineError('FLEET_REFUSED', 2);
export const NoAgentAnswers = defineError('NO_AGENT_ANSWERS', 1);
export const BundleFailed = defineError('BUNDLE_FAILED', 1);
export const ApplyUnderWay = defineError('APPLY_UNDER_WAY', 1);
export const ApplyLockLost = defineError('APPLY_LOCK_LOST', 1);
export const HostUnfit = defineError('HOST_UNFIT', 3);
export const HostUnhealthy = defineError('HOST_UNHEALTHY', 3);
