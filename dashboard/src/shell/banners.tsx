import { useEffect, useState } from 'react';
import type { ApiView } from '../../../src/api/view.ts';
import { ActionButton } from '../actions/open-action.tsx';
import { ago } from '../data/format.ts';
import { feed, usePage } from '../data/page-state.ts';
import { type Route, useRoute } from '../data/route.ts';
import { Sign } from '../parts/sign.tsx';
import { whatIsMissing } from './what-is-missing.ts';

/** What has to be known whatever page is looked at. */
export function Banners() {
  const connection = usePage((state) => state.connection);
  const view = usePage((state) => state.view);
  const route = useRoute();
  return (
    <>
      {connection.state === 'lost' && (
        <Lost sinceMs={connection.sinceMs} why={connection.why} known={view !== null} />
      )}
      {view && <OtherRelease now={releaseOf(view)} />}
      {view && connection.state !== 'unauthorised' && <Elsewhere here={view.host} />}
      {view && connection.state !== 'unauthorised' && <Unwell view={view} />}
      {view && connection.state !== 'unauthorised' && <LeadsNowhere route={route} view={view} />}
    </>
  );
}

function Lost({ sinceMs, why, known }: { sinceMs: number; why: string; known: boolean }) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return (
    <aside className="banner bad" aria-label="Connection">
      <strong>
        <Sign tone="bad" /> Not live
      </strong>
      <p>
        {sentence(why)}{' '}
        {known
          ? `What you see is from ${ago(Math.max(1000, now - sinceMs))}, and may not be so any more.`
          : ''}{' '}
        The page tries again by itself.
      </p>
      <button type="button" className="small" onClick={() => void feed.connect()}>
        Try now
      </button>
    </aside>
  );
}

/** @param clause as messages are: without a capital and a full stop */
function sentence(clause: string): string {
  return `${clause.charAt(0).toUpperCase()}${clause.slice(1)}.`;
}

/** Of the agent that serves the page. */
function releaseOf({ host, hosts }: ApiView): string | null {
  return hosts.find(({ id }) => id === host)?.version ?? null;
}

/** The page came from an agent of the release that was there first: what a later one says, it may not know. */
function OtherRelease({ now }: { now: string | null }) {
  const [own] = useState(now);
  if (now === own || now === null || own === null) return null;
  return (
    <aside className="banner plain" aria-label="Another release">
      <strong>
        <Sign tone="accent" /> Another release
      </strong>
      <p>
        The agent is of release {now} now, and this page of {own}.
      </p>
      <button type="button" className="small" onClick={() => location.reload()}>
        Reload the page
      </button>
    </aside>
  );
}

/** The link names what is not there: a member that was removed since, say. */
function LeadsNowhere({ route, view }: { route: Route; view: ApiView }) {
  const missing = whatIsMissing(route, view);
  if (missing === null) return null;
  return (
    <aside className="banner" aria-label="This link">
      <strong>
        <Sign tone="warn" /> This link leads nowhere
      </strong>
      <p>{missing}</p>
    </aside>
  );
}

/** What the agents of other hosts carry out. */
function Elsewhere({ here }: { here: string }) {
  const { jobs } = usePage((state) => state.jobs);
  const running = jobs.filter(({ host, state }) => host !== here && state === 'running');
  return running.map(({ id, host, kind, by, steps }) => (
    <aside key={id} className="banner plain" aria-label={`Under way at ${host}`}>
      <strong>
        <Sign tone="accent" /> Under way at {host}
      </strong>
      <p>
        {kind}, asked for by {by}
        {steps.length > 0 && `: ${steps.at(-1)?.text}`}
      </p>
    </aside>
  ));
}

const mostShown = 5;

function Unwell({ view }: { view: ApiView }) {
  const missing = view.hosts.filter(({ agent }) => agent === 'missing');
  return (
    <>
      {view.operation && (
        <aside className="banner plain" aria-label="Under way">
          <strong>
            <Sign tone="accent" /> Under way
          </strong>
          <p>
            {view.operation.text}
            {view.operation.steps.length > 0 && `: ${view.operation.steps.at(-1)?.text}`}
          </p>
        </aside>
      )}
      {view.problems.length > 0 && (
        <aside className={`banner ${view.state === 'down' ? 'bad' : ''}`} aria-label="What is wrong">
          <strong>
            <Sign tone={view.state === 'down' ? 'bad' : 'warn'} /> {view.state}
          </strong>
          <ul>
            {view.problems.slice(0, mostShown).map((text) => (
              <li key={text}>{text}</li>
            ))}
            {view.problems.length > mostShown && <li>and {view.problems.length - mostShown} more</li>}
          </ul>
          {view.paused && <ActionButton operation={{ kind: 'resume' }} label="Resume…" small />}
        </aside>
      )}
      {missing.length > 0 && (
        <aside className="banner" aria-label="Answers that are missing">
          <strong>
            <Sign tone="warn" /> Answers are missing
          </strong>
          <ul>
            {missing.map(({ id, missing: why, ageMs }) => (
              <li key={id}>
                the agent of {id}: {why ?? 'it does not answer'}
                {ageMs === null ? '' : `; what is shown of it is from ${ago(ageMs)}`}
              </li>
            ))}
          </ul>
        </aside>
      )}
    </>
  );
}
