import { usePage } from '../data/page-state.ts';
import { ActionButton } from './open-action.tsx';

interface Props {
  process: { id: string; host: string };
  label?: string;
  /** Whom it is about, for those who hear it and see no row around it. */
  about?: string;
}

/** An agent restarts what is of its own host only: for what is not, this leads to the page of the agent there. */
export function RestartButton({ process: { id, host }, label = 'Restart…', about = '' }: Props) {
  const here = usePage(({ view }) => view?.host ?? null);
  if (here !== null && host !== here) return <AgentLink host={host} about={about} />;
  return <ActionButton operation={{ kind: 'restart', process: id }} label={label} about={about} small />;
}

/** The same page, served by the agent of another host. */
export function AgentLink({ host, about = '' }: { host: string; about?: string }) {
  const view = usePage((state) => state.view);
  const address = view?.hosts.find(({ id }) => id === host)?.address ?? null;
  const words = `Restart at the page of ${host}`;
  if (address === null) return <span className="note">{words}</span>;
  return (
    <a href={pageAt(address)}>
      {words}
      {about !== '' && <span className="unseen"> {about}</span>}
    </a>
  );
}

/** All agents of a deployment listen on one port, and speak TLS or not. */
function pageAt(address: string): string {
  const { protocol, port } = window.location;
  const name = address.includes(':') ? `[${address}]` : address;
  return `${protocol}//${name}${port === '' ? '' : `:${port}`}/${window.location.hash}`;
}
