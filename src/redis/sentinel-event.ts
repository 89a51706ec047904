import { type Address, addressOf } from './endpoint.ts';

/** A Sentinel's event about this deployment, such as `+selected-slave`. */
export interface SentinelEvent {
  /** The channel: `+switch-master`, `+selected-slave`, `+tilt`… */
  name: string;
  message: string;
  /** The instance that the event is about, where it names one. */
  subject: ({ role: string } & Address) | undefined;
  /** The primary whose deployment the event is about, as the Sentinel knew it; for `+switch-master`, the old one. */
  primary: Address | undefined;
  /** For `+switch-master`: the new primary. */
  newPrimary: Address | undefined;
}

/**
 * Understands a Pub/Sub message of a Sentinel; undefined when it speaks of another deployment. Formats:
 * `<role> <id> <ip> <port>[ @ <name> <primary ip> <primary port>]`, and for `+switch-master`
 * `<name> <old ip> <old port> <new ip> <new port>`; `+tilt` and `-tilt` come without an instance.
 */
export function parseSentinelEvent(
  channel: string,
  message: string,
  name: string,
): SentinelEvent | undefined {
  const words = message.split(' ');
  if (channel === '+switch-master') {
    const newPrimary = addressOf(words[3], words[4]);
    if (words[0] !== name || newPrimary === undefined) return undefined;
    const primary = addressOf(words[1], words[2]);
    return { name: channel, message, subject: undefined, primary, newPrimary };
  }
  const [role = '', id = '', ip, port] = words;
  const named = words[4] === '@' ? words[5] : role === 'master' ? id : undefined;
  if (named !== undefined && named !== name) return undefined;
  const address = named === undefined ? undefined : addressOf(ip, port);
  const subject = address && { role, ...address };
  const primary = words[4] === '@' ? addressOf(words[6], words[7]) : role === 'master' ? address : undefined;
  return { name: channel, message, subject, primary, newPrimary: undefined };
}
