import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { feed } from './data/page-state.ts';
import { keepFocus } from './parts/focus.ts';
import { Guard } from './parts/guard.tsx';
import { keepPresses } from './parts/presses.ts';
import { startTheme } from './parts/theme.ts';

startTheme();
keepPresses();
keepFocus();
feed.start();
createRoot(document.getElementById('page') as HTMLElement).render(
  <Guard>
    <App />
  </Guard>,
);
