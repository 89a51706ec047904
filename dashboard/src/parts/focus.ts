/**
 * Whoever uses the page by keyboard, or has it read aloud, is where the focus is. A browser drops it, to nowhere, when the
 * element that has it is taken away, as a button is that did its work. Then it goes to the nearest place around it at which
 * it may rest: the last one in document order within the innermost of what surrounded it and is still there.
 */
const rests = '[data-focus-rests]';

export function keepFocus(): void {
  /** What surrounded the element that had the focus last, innermost first, the element itself included. */
  let around: Element[] = [];
  document.addEventListener('focusin', ({ target }) => {
    around = [];
    for (let each = target as Element | null; each !== null; each = each.parentElement) around.push(each);
  });
  const look = () => {
    if (around[0] === undefined || around[0].isConnected || document.activeElement !== document.body) return;
    const rest = around.filter((each) => each.isConnected).flatMap((each) => [...restsIn(each)].at(-1) ?? []);
    around = [];
    rest[0]?.focus({ preventScroll: true });
  };
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
}

function restsIn(element: Element): HTMLElement[] {
  const within = [...element.querySelectorAll<HTMLElement>(rests)];
  return element.matches(rests) ? [element as HTMLElement, ...within] : within;
}
