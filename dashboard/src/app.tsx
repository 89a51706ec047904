import { useEffect, useRef } from 'react';
import { Actions } from './actions/open-action.tsx';
import { SignIn } from './actions/sign-in.tsx';
import { usePage } from './data/page-state.ts';
import { type Route, useRoute } from './data/route.ts';
import { BackupsPage } from './pages/backups-page.tsx';
import { DoctorPage } from './pages/doctor-page.tsx';
import { DrillsPage } from './pages/drills-page.tsx';
import { EventsPage } from './pages/events-page.tsx';
import { GatesPage } from './pages/gates-page.tsx';
import { MembersPage } from './pages/members-page.tsx';
import { MovesPage } from './pages/moves-page.tsx';
import { OverviewPage } from './pages/overview-page.tsx';
import { SentinelsPage } from './pages/sentinels-page.tsx';
import { SpecPage } from './pages/spec-page.tsx';
import { TimePage } from './pages/time-page.tsx';
import { Card, Waiting } from './parts/card.tsx';
import { Guard } from './parts/guard.tsx';
import { Banners } from './shell/banners.tsx';
import { News } from './shell/news.tsx';
import { Tabs } from './shell/tabs.tsx';
import { Top } from './shell/top.tsx';

export function App() {
  const route = useRoute();
  const isClosed = usePage(({ connection }) => connection.state === 'unauthorised');
  const hasView = usePage(({ view }) => view !== null);
  return (
    <Actions>
      <button type="button" className="skip" onClick={toMain}>
        To the content
      </button>
      <header className="top">
        <Top />
        {!isClosed && <Tabs page={route.page} />}
      </header>
      <Guard>
        <Banners />
      </Guard>
      <Main route={route}>
        {isClosed ? (
          <section className="card login" aria-label="Sign in">
            <header>
              <h2>Sign in</h2>
            </header>
            <SignIn why="From another machine this page needs a token of the deployment." />
          </section>
        ) : hasView ? (
          <Guard key={route.page}>
            <Page route={route} />
          </Guard>
        ) : (
          <Card title="The deployment">
            <Waiting what="The agent is asked." lines={5} />
          </Card>
        )}
      </Main>
      <News />
      <footer className="foot">
        holdfast. This page comes from the agent and loads nothing from elsewhere.
      </footer>
    </Actions>
  );
}

function Page({ route: { page, id } }: { route: Route }) {
  switch (page) {
    case 'overview':
      return <OverviewPage />;
    case 'time':
      return <TimePage />;
    case 'events':
      return <EventsPage />;
    case 'members':
      return <MembersPage id={id} />;
    case 'sentinels':
      return <SentinelsPage id={id} />;
    case 'gates':
      return <GatesPage id={id} />;
    case 'doctor':
      return <DoctorPage />;
    case 'backups':
      return <BackupsPage />;
    case 'drills':
      return <DrillsPage />;
    case 'moves':
      return <MovesPage />;
    case 'spec':
      return <SpecPage />;
  }
}

/** A new page begins at its top, and for those who listen to it, with its content. */
function Main({ route, children }: { route: Route; children: React.ReactNode }) {
  const element = useRef<HTMLElement>(null);
  const before = useRef(route);
  useEffect(() => {
    if (before.current.page !== route.page) {
      window.scrollTo(0, 0);
      element.current?.focus({ preventScroll: true });
    }
    before.current = route;
  }, [route]);
  return (
    <main id="main" ref={element} tabIndex={-1} data-focus-rests>
      {children}
    </main>
  );
}

/** No link: the address says which page it is. */
function toMain(): void {
  document.getElementById('main')?.focus();
}
