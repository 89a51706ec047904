import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { feed } from './data/page-state.ts';
import { startTheme } from './parts/theme.ts';

startTheme();
feed.start();
createRoot(document.getElementById('page') as HTMLElement).render(<App />);
