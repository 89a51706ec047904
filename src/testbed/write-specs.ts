/** What a testbed's agents read: a spec for each host, of certificates each its own. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { freePorts } from '../process/free-ports.ts';
import type { TlsTexts } from '../redis/endpoint.ts';
import { readTls } from '../redis/tls.ts';
import { parseSpec } from '../spec/parse.ts';
import type { Spec } from '../spec/spec.ts';
import type { NetworkHosts } from './network-hosts.ts';
import { certificatesIn } from './own-certificates.ts';
import type { TestbedSettings } from './testbed.ts';
import { portsNeeded, specName, specOf } from './testbed-spec.ts';

export function specFileOf(folder: string, host: string): string {
  return path.join(folder, `${host}.yaml`);
}

/** @returns the first host's, and what clients need to speak TLS with it. */
export async function writeSpecs(
  settings: TestbedSettings,
  folder: string,
  hosts: readonly string[],
  network: NetworkHosts | null,
): Promise<{ spec: Spec; tls: TlsTexts | undefined }> {
  const firstPort = network === null ? await freePorts(portsNeeded) : 0;
  const addresses = new Map(hosts.map((id) => [id, network?.addressOf(id) ?? '127.0.0.1']));
  const files = settings.tls === true ? await certificatesIn(folder, specName, addresses) : null;
  const specs: Spec[] = [];
  for (const host of hosts) {
    // JSON is YAML.
    const text = JSON.stringify(
      specOf(settings, hosts, network, firstPort, files?.get(host) ?? null),
      null,
      1,
    );
    await writeFile(specFileOf(folder, host), text);
    specs.push(parseSpec(text, specFileOf(folder, host)));
  }
  const [spec] = specs as [Spec];
  return { spec, tls: await readTls(spec.security.tls) };
}
