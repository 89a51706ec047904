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
    if (name === 'select') session.choose(Number(text(1)));
    else if (name === 'unwatch') session.transaction.onUnwatch();
    else if (name === 'monitor') session.watchAll(request);
    else if (name === 'reset') {
      endRedirect(client);
      session.reset();
      // The reply that SKIP is about is this one.
      if (client.replies === 'off') client.setReplies('on');
    } else if (name === 'auth') {
      logIn(
        client,
        args.length > 2 ? { user: text(1), password: text(2) } : { user: 'default', password: text(1) },
      );
    } else if (name === 'hello') observeHello(client, args);
    else if (name === 'client|tracking') observeTracking(client, args);
    else if (/^client\|(no-evict|no-touch)$/.test(name)) {
      session.setMode(name.slice(7), text(2).toLowerCase() === 'off' ? null : request);
    }
  };
}

function logIn({ session, place }: Client, login: Login): void {
  session.logIn(login);
  place.own?.atServer.onLogin();
}

function observeTracking(client: Client, args: Buffer[]): void {
  const { tracking } = client.session;
  if (isOff(args) || redirectIn(args) !== tracking.told) endRedirect(client);
  tracking.onAccepted(args);
}

function observeHello(client: Client, args: Buffer[]): void {
  const { session } = client;
  const text = (index: number) => args[index]?.toString('latin1') ?? '';
  if (args.length > 1) session.speak(text(1) === '3' ? 3 : 2);
  for (let index = 2; index < args.length; index++) {
    const option = text(index).toLowerCase();
    if (option === 'auth') {
      logIn(client, { user: text(index + 1), password: text(index + 2) });
      index += 2;
    } else if (option === 'setname') session.rename(text(++index));
  }
}
