import { credentialsFrom } from './credentials.ts';
import type { CommonOptions } from './verb.ts';

export interface AdoptOptions extends CommonOptions {
  dryRun?: boolean;
  yes?: boolean;
  user?: string;
  passwordFile?: string;
  sentinelUser?: string;
  sentinelPasswordFile?: string;
  supervisorOff?: boolean;
  usersOnly?: boolean;
  /** False with --no-start. */
  start: boolean;
  accessStdin?: boolean;
  host?: string;
  stateDir?: string;
  wait?: string;
}

/** Who may do everything at the servers, and at the Sentinels. */
export function accessFrom(options: AdoptOptions) {
  return {
    servers: credentialsFrom(options.user, options.passwordFile),
    sentinels: credentialsFrom(options.sentinelUser, options.sentinelPasswordFile),
  };
}
