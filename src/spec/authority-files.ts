/** Where the files of a deployment's own authority lie (`security.tls: auto`): in a folder beside the spec. */
import path from 'node:path';
import type { TlsFiles } from './spec.ts';

/** @param folder the spec's. @returns its absolute path */
export function authorityFolder(folder: string, name: string): string {
  return path.join(folder, `${name}.tls`);
}

/** The authority's certificate, and the key with which it makes others. */
export function authorityFiles(authority: string): { cert: string; key: string } {
  return { cert: path.join(authority, 'ca.pem'), key: path.join(authority, 'ca.key') };
}

/** What the processes of a host use. Certificate and key are one file: whoever renews it changes both at once. */
export function filesOfHost(authority: string, host: string): TlsFiles {
  const file = path.join(authority, `host-${host}.pem`);
  return { cert: file, key: file, ca: authorityFiles(authority).cert };
}
