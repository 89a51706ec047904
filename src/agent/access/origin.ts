/**
 * Whether a request comes from where it may. A page on another site can have a browser send requests here, with its
 * cookies; a name that its owner lets resolve to this machine (DNS rebinding) makes that page one of "the same site". So
 * the name that was asked for must be one of this host, or an address, which can't be rebound; and a request that says
 * whence it is, by Origin or Sec-Fetch-Site, must come from a page of this very agent. Pure.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { addressKind, isLoopback } from '../../spec/address.ts';

/** @param names of this host, lower case. @returns why not; undefined when it may. */
export function whyForeign(headers: IncomingHttpHeaders, names: ReadonlySet<string>): string | undefined {
  const host = (headers.host ?? '').toLowerCase();
  const name = nameIn(host);
  if (name === undefined) return 'it does not say which host it wants (Host)';
  if (addressKind(name) !== 'ip' && !isLoopback(name) && !names.has(name)) {
    return `it asks for the host '${name.slice(0, 100)}', which is no name of this one`;
  }
  const { origin } = headers;
  if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`) {
    return `it comes from a page of ${origin.slice(0, 100)}`;
  }
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none')
    return `it comes from a page elsewhere (${String(site).slice(0, 20)})`;
  return undefined;
}

/** The name or address in a Host header, without brackets and port. */
function nameIn(host: string): string | undefined {
  return /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/
    .exec(host)
    ?.slice(1)
    .find((each) => each !== undefined);
}
