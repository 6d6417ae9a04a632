// Sets the colours before the page is drawn. The choices are kept by `src/frame/theme.ts`.
(function () {
  var choice = 'system';
  try {
    var ofLink = sessionStorage.getItem('alerts.link-theme');
    var own = localStorage.getItem('alerts.theme') || 'system';
    choice = ofLink === 'light' || ofLink === 'dark' ? ofLink : own;
  } catch {
    // Storage may be blocked in a frame; then the system decides.
  }
  var dark =
    choice === 'dark' ||
    (choice === 'system' && !matchMedia('(prefers-color-scheme: light)').matches);
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
})();
