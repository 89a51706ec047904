import type { Buffer } from 'node:buffer';
import { isIP } from 'node:net';

/**
 * The header that a load balancer puts before a connection's own bytes, to say who the client is: version 1 is a
 * line of text, version 2 is binary. Source: HAProxy's doc/proxy-protocol.txt.
 */
export interface ProxyHeader {
  /** Bytes of the header. */
  length: number;
  /** The client's address and port; null when the balancer speaks for itself (UNKNOWN, LOCAL). */
  client: { address: string; port: number } | null;
}

const signature = '\r\n\r\n\0\r\nQUIT\n';
/** The longest version 1 line, with its end. */
const maxLine = 107;

/** The header at the start of `buf`; null when more bytes are needed; undefined when there is none. */
export function readProxyHeader(buf: Buffer): ProxyHeader | null | undefined {
  const start = buf.toString('latin1', 0, Math.min(buf.length, signature.length));
  if (signature.startsWith(start)) return buf.length < 16 ? null : readBinary(buf);
  const text = buf.toString('latin1', 0, Math.min(buf.length, maxLine));
  if (!'PROXY '.startsWith(text.slice(0, 6))) return undefined;
  const end = text.indexOf('\r\n');
  if (end < 0) return text.length < maxLine ? null : undefined;
  const length = end + 2;
  const client = readLine(text.slice(0, end));
  return client === undefined ? undefined : { length, client };
}

/** What is no address, or no port, is no header: who is said to be the client is shown as it stands there. */
function readLine(line: string): ProxyHeader['client'] | undefined {
  const [, family, ...fields] = line.split(' ');
  if (family === 'UNKNOWN') return null;
  const [address = '', server = '', port = '', serverPort = '', ...more] = fields;
  const version = family === 'TCP4' ? 4 : family === 'TCP6' ? 6 : -1;
  // A zone is no part of an address here, and may hold anything.
  const areAddresses = [address, server].every((each) => isIP(each) === version && !each.includes('%'));
  const arePorts = [port, serverPort].every(
    (each) => /^(0|[1-9]\d{0,4})$/.test(each) && Number(each) <= 65_535,
  );
  return areAddresses && arePorts && more.length === 0 ? { address, port: Number(port) } : undefined;
}

function readBinary(buf: Buffer): ProxyHeader | null | undefined {
  const version = (buf[12] as number) >> 4;
  const command = (buf[12] as number) & 15;
  const family = (buf[13] as number) >> 4;
  const length = 16 + buf.readUInt16BE(14);
  if (version !== 2 || command > 1) return undefined;
  if (buf.length < length) return null;
  if (command === 0 || family === 0 || family > 2) return { length, client: null };
  if (family === 1) {
    if (length < 28) return undefined;
    return { length, client: { address: [...buf.subarray(16, 20)].join('.'), port: buf.readUInt16BE(24) } };
  }
  if (length < 52) return undefined;
  const groups = Array.from({ length: 8 }, (_, index) => buf.readUInt16BE(16 + index * 2).toString(16));
  return { length, client: { address: groups.join(':'), port: buf.readUInt16BE(48) } };
}
