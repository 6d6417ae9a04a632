/** Where the keyboard was before a dialog took it, so that it can be given back there. */

let last: HTMLElement | null = null;

// A field in a dialog may take the keyboard before the dialog knows of itself, so this is noted all the time.
if (typeof document !== 'undefined') {
  document.addEventListener('focusin', ({ target }) => {
    if (target instanceof HTMLElement && !target.closest('[role="dialog"]')) last = target;
  });
}

/** Gives it back to what had it last outside of any dialog, if that is still there. */
export function focusLast() {
  if (last?.isConnected) last.focus();
}
