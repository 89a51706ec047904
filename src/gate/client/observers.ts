import type { Buffer } from 'node:buffer';
import type { Login } from '../upstream/identity.ts';
import type { Client } from './client.ts';
import { isOff, redirectIn } from './tracking.ts';
import { endRedirect } from './tracking-restore.ts';

/** What an accepted request makes of the session. */
export function observer(client: Client, name: string, args: Buffer[], request: Buffer): () => void {
  const { session } = client;
  const text = (index: number) => args[index]?.toString('latin1') ?? '';
  return () => {
    client.place.reroute();
    const { identity } = session;
    if (name === 'select') {
      session.identity = { ...identity, database: Number(text(1)), selectedAs: identity.login };
    } else if (name === 'unwatch') session.transaction.onUnwatch();
    else if (name === 'monitor') session.monitor = request;
    else if (name === 'reset') {
      endRedirect(client);
      session.reset();
      client.setReplies('on');
    } else if (name === 'auth') {
      const login: Login =
        args.length > 2 ? { user: text(1), password: text(2) } : { user: 'default', password: text(1) };
      session.identity = { ...identity, login };
    } else if (name === 'hello') observeHello(client, args);
    else if (name === 'client|tracking') observeTracking(client, args);
    else if (/^client\|(no-evict|no-touch)$/.test(name)) {
      if (text(2).toLowerCase() === 'off') session.modes.delete(name.slice(7));
      else session.modes.set(name.slice(7), request);
    }
  };
}

function observeTracking(client: Client, args: Buffer[]): void {
  const { tracking } = client.session;
  if (isOff(args) || redirectIn(args) !== tracking.told) endRedirect(client);
  tracking.onAccepted(args);
}

function observeHello(client: Client, args: Buffer[]): void {
  const { session } = client;
  const text = (index: number) => args[index]?.toString('latin1') ?? '';
  if (args.length > 1) session.identity = { ...session.identity, protocol: text(1) === '3' ? 3 : 2 };
  for (let index = 2; index < args.length; index++) {
    const option = text(index).toLowerCase();
    if (option === 'auth') {
      const login: Login = { user: text(index + 1), password: text(index + 2) };
      session.identity = { ...session.identity, login };
      index += 2;
    } else if (option === 'setname') session.name = text(++index);
  }
}
