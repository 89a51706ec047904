/**
 * Work for what stands far down a page is not done before somebody scrolls there: of what is out of sight only the last is
 * ever seen. A browser that has not said yet what is in sight says it with the next frame.
 */
const works = new WeakMap<Element, () => void>();
let observer: IntersectionObserver | undefined;
/** Above and below what is seen, so that scrolling shows nothing old. */
const spare = '300px';

/** @param work begins, and @returns what takes back, what is to be done. @returns what takes it back, at whatever point it is. */
export function whenInSight(element: Element, work: () => () => void): () => void {
  let undo: (() => void) | undefined;
  works.set(element, () => {
    undo = work();
  });
  observer ??= new IntersectionObserver(look, { rootMargin: spare });
  observer.observe(element);
  return () => {
    observer?.unobserve(element);
    works.delete(element);
    undo?.();
  };
}

function look(entries: readonly IntersectionObserverEntry[]): void {
  for (const { target, isIntersecting } of entries) {
    if (!isIntersecting) continue;
    observer?.unobserve(target);
    works.get(target)?.();
    works.delete(target);
  }
}
