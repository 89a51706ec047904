import type { Buffer } from 'node:buffer';
import { PUSH, STAR } from '../../resp/bytes.ts';
import type { Session } from './session.ts';

const confirmation = /^[*>]3\r\n\$\d+\r\n[ps]?(un)?subscribe\r\n/;
const message = /^\*[34]\r\n\$[78]\r\n[ps]?message\r\n/;
const monitorLine = /^\+\d+\.\d+ \[/;

/** Whether this, on a connection whose client subscribed, monitors or speaks RESP3, answers no request. */
export function isUnasked(session: Session, buf: Buffer, start: number, end: number): boolean {
  const head = () => buf.toString('latin1', start, Math.min(end, start + 40));
  if (buf[start] === PUSH) return !confirmation.test(head());
  if (buf[start] === STAR && session.subscribed && session.protocol === 2) return message.test(head());
  return session.monitor !== null && monitorLine.test(head());
}
