/** TLS of a testbed: an authority of its own, and a certificate for each host, made as `security.tls: auto` makes them. */
import { keepCertificates, ownCertificates } from '../certs/own-authority.ts';
import { authorityFolder, filesOfHost } from '../spec/authority-files.ts';
import type { TlsFiles } from '../spec/spec.ts';

/** @returns the files of each host, by its id; they lie in a folder of their own within this one. */
export async function certificatesIn(
  folder: string,
  name: string,
  addresses: ReadonlyMap<string, string>,
): Promise<Map<string, TlsFiles>> {
  const authority = authorityFolder(folder, name);
  const hosts = [...addresses].map(([id, address]) => ({ id, address, bind: null, ssh: null }));
  await keepCertificates(authority, ownCertificates({ name, hosts }, authority, Date.now()));
  return new Map(hosts.map(({ id }) => [id, filesOfHost(authority, id)]));
}
