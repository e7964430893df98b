/** How the panel looks: as the system does, or always one way. */
export type Theme = 'system' | 'light' | 'dark';

/** Read by `theme.js` before the first paint. */
const KEY = 'claviger-theme';

/** The theme that was chosen in this browser. */
export function chosenTheme(): Theme {
  const { theme } = document.documentElement.dataset;
  return theme === 'light' || theme === 'dark' ? theme : 'system';
}

/** Changes the theme, now and for the next time. */
export function chooseTheme(theme: Theme): void {
  const { dataset } = document.documentElement;
  if (theme === 'system') delete dataset.theme;
  else dataset.theme = theme;
  try {
    if (theme === 'system') localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme);
  } catch {
    // Storage may be forbidden; the choice holds until the page is left.
  }
}
