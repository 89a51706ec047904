import type { Problem } from '../problems.ts';
import type { SpecFile } from '../schema.ts';
import type { Spec } from '../spec.ts';
import { addressRules } from './addresses.ts';
import { backupRules } from './backups.ts';
import { directiveRules } from './directives.ts';
import { gateRules } from './gates.ts';
import { mirrorTopologyRules } from './mirror-topology.ts';
import { mirrorRules } from './mirrors.ts';
import { portRules } from './ports.ts';
import { redisRules } from './redis.ts';
import { routeRules } from './routes.ts';
import { securityRules } from './security.ts';
import { sentinelRules } from './sentinels.ts';

/**
 * A rule looks at keys together and says what is dangerous or impossible, and why. It gets the completed spec, and
 * the file for what was actually written.
 */
export type Rule = (spec: Spec, file: SpecFile) => Problem[];

const rules: readonly Rule[] = [
  addressRules,
  portRules,
  redisRules,
  directiveRules,
  sentinelRules,
  gateRules,
  routeRules,
  securityRules,
  backupRules,
  mirrorRules,
  mirrorTopologyRules,
];

/** Every rule that a spec breaks. */
export function brokenRules(spec: Spec, file: SpecFile): Problem[] {
  return rules.flatMap((rule) => rule(spec, file));
}
