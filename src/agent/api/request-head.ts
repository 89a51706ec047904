/**
 * What HTTP/1.1 wants of the head of a request beside its grammar (RFC 9112, 3.2 and 3.2.2; RFC 9110, 10.1.1): exactly one
 * Host, which is that of an absolute target, too; and no expectation but 100-continue. Two of them could be read
 * differently by what stands in front. Pure.
 */
import type { IncomingMessage } from 'node:http';

type Head = Pick<IncomingMessage, 'httpVersion' | 'rawHeaders' | 'headers' | 'url'>;

/** @returns the status it is to be answered with, and why; undefined when nothing is wrong. */
export function whatIsWrongWith(head: Head): { status: number; why: string } | undefined {
  const { httpVersion, rawHeaders, headers, url = '' } = head;
  const hosts = rawHeaders.filter((each, index) => index % 2 === 0 && each.toLowerCase() === 'host').length;
  if (hosts > 1) return { status: 400, why: `it names ${hosts} hosts (Host), and may name one` };
  if (hosts === 0 && httpVersion === '1.1')
    return { status: 400, why: 'it does not say which host it wants (Host)' };
  const asked = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(url)?.[1];
  if (asked !== undefined && asked.toLowerCase() !== headers.host?.toLowerCase())
    return { status: 400, why: 'its target is of another host than its Host' };
  const { expect } = headers;
  if (expect !== undefined && !/^\s*100-continue\s*$/i.test(expect))
    return { status: 417, why: 'nothing but 100-continue can be expected (Expect)' };
  return undefined;
}
