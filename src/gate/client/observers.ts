import type { Buffer } from 'node:buffer';
import type { Client } from './gate-client.ts';

/** What an accepted request makes of the session. */
export function observer(client: Client, name: string, args: Buffer[], request: Buffer): () => void {
  const { session } = client;
  const text = (index: number) => args[index]?.toString() ?? '';
  return () => {
    client.route = null;
    if (name === 'select') session.database = Number(text(1));
    else if (name === 'unwatch') session.watching = session.watchBroken = false;
    else if (name === 'monitor') session.monitor = request;
    else if (name === 'reset') {
      session.reset();
      client.inMulti = false;
      client.multiFailed = false;
      client.replies = 'on';
    } else if (name === 'auth') {
      session.credentials = {
        username: args.length > 2 ? text(1) : 'default',
        password: args.length > 2 ? text(2) : text(1),
      };
    } else if (name === 'hello') observeHello(client, args);
    else if (/^client\|(tracking|no-evict|no-touch)$/.test(name)) {
      if (text(2).toLowerCase() === 'off') session.modes.delete(name.slice(7));
      else session.modes.set(name.slice(7), request);
    }
  };
}

function observeHello(client: Client, args: Buffer[]): void {
  const { session } = client;
  if (args.length > 1) session.protocol = args[1]?.toString() === '3' ? 3 : 2;
  for (let index = 2; index < args.length; index++) {
    const option = args[index]?.toString().toLowerCase();
    if (option === 'auth') {
      session.credentials = { username: String(args[index + 1]), password: String(args[index + 2]) };
      index += 2;
    } else if (option === 'setname') session.name = String(args[++index]);
  }
}
