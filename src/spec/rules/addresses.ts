import { addressKind, canonicalAddress } from '../address.ts';
import type { Problem } from '../problems.ts';
import type { Spec } from '../spec.ts';

/** Sentinels compare addresses as text: every host needs one of its own, and all must be of one kind. */
export function addressRules(spec: Spec): Problem[] {
  const problems: Problem[] = [];
  const first = spec.hosts[0];
  const seen = new Map<string, string>();
  for (const { id, address } of spec.hosts) {
    const path = ['hosts', id, 'address'];
    const other = seen.get(canonicalAddress(address));
    if (other !== undefined) {
      problems.push({ path, message: `found '${address}', which is the address of host '${other}' already` });
    }
    seen.set(canonicalAddress(address), id);
    if (first && addressKind(address) !== addressKind(first.address)) {
      const kinds = { ip: 'an IP address', hostname: 'a hostname' };
      const kind = (text: string) => kinds[addressKind(text) ?? 'hostname'];
      problems.push({
        path,
        message:
          `found ${kind(address)}, but host '${first.id}' has ${kind(first.address)}; use one kind for all: ` +
          'Sentinels would take the two for different servers',
      });
    }
  }
  return problems;
}
