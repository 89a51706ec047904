import type { Buffer } from 'node:buffer';
import { PLUS, PUSH, STAR } from '../../resp/bytes.ts';
import type { Session } from './session.ts';

const confirmation = /^[*>]3\r\n\$\d+\r\n[ps]?(un)?subscribe\r\n/;
const message = /^\*[34]\r\n\$[78]\r\n[ps]?message\r\n/;
const monitorLine = /^\+\d+\.\d+ \[/;

/** Whether what begins with this byte may answer no request, on such a connection. */
export function mayBeUnasked(session: Session, byte: number | undefined): boolean {
  if (byte === PUSH) return true;
  if (byte === STAR) return session.subscribed && session.protocol === 2;
  return byte === PLUS && session.monitor !== null;
}

/** Whether this, on a connection whose client subscribed, monitors or speaks RESP3, answers no request. */
export function isUnasked(session: Session, buf: Buffer, start: number, end: number): boolean {
  if (!mayBeUnasked(session, buf[start])) return false;
  const head = buf.toString('latin1', start, Math.min(end, start + 40));
  if (buf[start] === PUSH) return !confirmation.test(head);
  return (buf[start] === STAR ? message : monitorLine).test(head);
}
