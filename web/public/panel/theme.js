// Runs before the first paint, so that a page never flashes in the theme that was not chosen.
try {
  const chosen = localStorage.getItem('claviger-theme');
  if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen;
} catch {
  // Storage may be forbidden; the system's theme holds then.
}
