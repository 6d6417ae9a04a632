// Sets the colours before the page is drawn. The choice is kept by `src/frame/theme.ts`.
(function () {
  var choice = 'system';
  try {
    choice = localStorage.getItem('alerts.theme') || 'system';
  } catch {
    // Storage may be blocked in a frame; then the system decides.
  }
  var dark =
    choice === 'dark' ||
    (choice === 'system' && !matchMedia('(prefers-color-scheme: light)').matches);
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
})();
