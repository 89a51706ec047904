/** Certificates of the deployment's own authority, for the verbs that need them. */
import { keepCertificates, type OwnCertificates, ownCertificates } from '../certs/own-authority.ts';
import type { Host, Spec } from '../spec/spec.ts';

/** @param hosts more than the spec's, on the way to it. @returns null where certificates come from elsewhere. @throws AUTHORITY_UNUSABLE */
export function certificatesOf(
  spec: Spec,
  hosts: readonly Host[] = spec.hosts,
  renew: 'due' | 'all' = 'due',
): OwnCertificates | null {
  const { authority } = spec.security;
  return authority === null
    ? null
    : ownCertificates({ name: spec.name, hosts }, authority, Date.now(), renew);
}

export async function keep({ security }: Spec, certificates: OwnCertificates | null): Promise<void> {
  if (certificates !== null && security.authority !== null)
    await keepCertificates(security.authority, certificates);
}
