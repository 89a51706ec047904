import { type ReactNode, useEffect, useId, useRef } from 'react';
import { Sign } from './sign.tsx';

/** Through the element, which gives the focus back to where it was. */
export function closeDialog({ currentTarget }: { currentTarget: HTMLElement }): void {
  currentTarget.closest('dialog')?.close();
}

/** What is to be filled in or chosen first; where there is nothing, the title: never a button, which Enter would press. */
const firstFocus = 'input:not([hidden]), select, textarea';

/**
 * The browser's own modal dialogue: it keeps the focus, and Escape closes it. It belongs to the page over which it was
 * opened: going back closes it.
 */
export function Dialog({
  title,
  onClose,
  children,
}: {
  title: string;
  onClose: () => void;
  children: ReactNode;
}) {
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = element.current;
    dialog?.showModal();
    (dialog?.querySelector<HTMLElement>(firstFocus) ?? dialog?.querySelector('h2'))?.focus();
    const close = () => dialog?.close();
    window.addEventListener('hashchange', close);
    return () => window.removeEventListener('hashchange', close);
  }, []);
  return (
    <dialog ref={element} aria-labelledby={id} onClose={onClose}>
      <header>
        <h2 id={id} tabIndex={-1} data-focus-rests>
          {title}
        </h2>
        <button type="button" className="plain small" aria-label="Close" onClick={closeDialog}>
          <Sign tone="bad" />
        </button>
      </header>
      {children}
    </dialog>
  );
}
