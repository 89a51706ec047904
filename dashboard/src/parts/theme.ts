/** Light or dark: as the system is, or as the viewer chose here. */
const key = 'holdfast-theme';
const dark = window.matchMedia('(prefers-color-scheme: dark)');

type Theme = 'light' | 'dark';

export function startTheme(): void {
  apply();
  dark.addEventListener('change', apply);
}

function currentTheme(): Theme {
  return chosen() ?? (dark.matches ? 'dark' : 'light');
}

export function toggleTheme(): void {
  const next = currentTheme() === 'dark' ? 'light' : 'dark';
  try {
    // The choice of the system needs no note: so the page follows it again later.
    if (next === (dark.matches ? 'dark' : 'light')) localStorage.removeItem(key);
    else localStorage.setItem(key, next);
  } catch {
    // Storage is switched off: then the choice is for this page only.
    document.documentElement.dataset['theme'] = next;
    window.dispatchEvent(new Event('theme'));
    return;
  }
  apply();
}

function chosen(): Theme | null {
  try {
    const value = localStorage.getItem(key);
    return value === 'light' || value === 'dark' ? value : null;
  } catch {
    return null;
  }
}

function apply(): void {
  document.documentElement.dataset['theme'] = currentTheme();
  // Charts are drawn, and must be drawn again.
  window.dispatchEvent(new Event('theme'));
}
