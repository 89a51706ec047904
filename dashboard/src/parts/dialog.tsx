import { type ReactNode, useEffect, useId, useRef } from 'react';
import { Sign } from './sign.tsx';

/** Through the element, which gives the focus back to where it was. */
export function closeDialog({ currentTarget }: { currentTarget: HTMLElement }): void {
  currentTarget.closest('dialog')?.close();
}

/** The browser's own modal dialogue: it keeps the focus, and Escape closes it. */
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
    element.current?.showModal();
  }, []);
  return (
    <dialog ref={element} aria-labelledby={id} onClose={onClose}>
      <header>
        <h2 id={id}>{title}</h2>
        <button type="button" className="plain small" aria-label="Close" onClick={closeDialog}>
          <Sign tone="bad" />
        </button>
      </header>
      {children}
    </dialog>
  );
}
