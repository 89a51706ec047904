import { useState } from 'react';
import { SignIn } from '../actions/sign-in.tsx';
import { send } from '../data/ask.ts';
import { duration } from '../data/format.ts';
import { feed, usePage } from '../data/page-state.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Badge, type Tone } from '../parts/sign.tsx';
import { toggleTheme } from '../parts/theme.ts';
import { toneOf } from '../parts/tones.ts';

/** The name of the deployment, how it is, and how the page stands with the agent. */
export function Top() {
  const view = usePage((state) => state.view);
  const isLive = usePage(({ connection }) => connection.state === 'live');
  return (
    <div className="top-row">
      <div className="brand">
        <Logo />
        <h1>{view?.name ?? 'holdfast'}</h1>
      </div>
      {view && (
        <>
          <Badge tone={isLive ? toneOf(view.state) : 'off'}>
            {isLive ? view.state : `was ${view.state}`}
          </Badge>
          <p className="facts">
            <span>
              primary <b>{view.primary ?? 'none'}</b>
            </span>
            <span>
              epoch <b>{view.epoch}</b>
            </span>
            {view.noPrimaryMs !== null && (
              <span>
                without a primary for <b>{duration(view.noPrimaryMs)}</b>
              </span>
            )}
          </p>
        </>
      )}
      <div className="top-end">
        <Link />
        <Who />
        <button
          type="button"
          className="plain small"
          onClick={toggleTheme}
          aria-label="Change between light and dark"
        >
          <Moon />
        </button>
      </div>
    </div>
  );
}

/** Whether the page is live. */
function Link() {
  const { state } = usePage(({ connection }) => connection);
  const words: Readonly<Record<typeof state, readonly [Tone, string]>> = {
    connecting: ['off', 'connecting'],
    live: ['good', 'live'],
    lost: ['bad', 'not live'],
    unauthorised: ['warn', 'signed out'],
  };
  const [tone, text] = words[state];
  return <Badge tone={tone}>{text}</Badge>;
}

function Who() {
  const session = usePage((state) => state.session);
  const isClosed = usePage(({ connection }) => connection.state === 'unauthorised');
  const [open, setOpen] = useState(false);
  if (!session || isClosed) return null;
  const leave = () => void send('DELETE', 'api/session').finally(() => feed.connect());
  return (
    <>
      <span className="note who" title={session.by === null ? '' : `token ${session.by}`}>
        may {session.role === 'operate' ? 'operate' : 'look'}
      </span>
      {session.role !== 'operate' && (
        <button type="button" className="small" aria-haspopup="dialog" onClick={() => setOpen(true)}>
          Sign in
        </button>
      )}
      {session.until !== null && (
        <button type="button" className="small" onClick={leave}>
          Sign out
        </button>
      )}
      {open && session.role !== 'operate' && (
        <Dialog title="Sign in" onClose={() => setOpen(false)}>
          <SignIn why="Whatever changes something needs a token of the role operate." />
        </Dialog>
      )}
    </>
  );
}

function Logo() {
  return (
    <svg viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="7" fill="var(--accent)" />
      <path
        d="M16 6v20M16 17c0 5-6 3-7 9M16 17c0 5 6 3 7 9"
        fill="none"
        stroke="var(--on-accent)"
        strokeWidth="2.6"
        strokeLinecap="round"
      />
      <circle cx="16" cy="7" r="3" fill="var(--on-accent)" />
    </svg>
  );
}

function Moon() {
  return (
    <svg width="18" height="18" viewBox="0 0 18 18" aria-hidden="true" focusable="false">
      <circle cx="9" cy="9" r="7" fill="none" stroke="currentColor" strokeWidth="1.8" />
      <path d="M9 2a7 7 0 0 1 0 14z" fill="currentColor" />
    </svg>
  );
}
