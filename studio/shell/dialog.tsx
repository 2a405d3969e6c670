import type { ComponentChildren, JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { words } from "../words/words.ts";
import { closeDialog } from "./dialogs.ts";

/** A dialog over the page: the focus stays in it, Escape closes it. */
export function Dialog({
  id,
  title,
  children,
}: {
  readonly id: string;
  readonly title: string;
  readonly children: ComponentChildren;
}): JSX.Element {
  const box = useRef<HTMLDialogElement>(null);
  // As it comes, before another key: a frame later what is typed at once would go to where the focus was.
  useLayoutEffect(() => {
    const shown = box.current!;
    shown.showModal();
    return () => shown.close();
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes it too
    <dialog
      id={id}
      ref={box}
      aria-label={title}
      onCancel={(event) => {
        event.preventDefault();
        closeDialog();
      }}
      onClick={(event) => {
        if (event.target === event.currentTarget) closeDialog();
      }}
    >
      <div class="dialog">
        <h2>
          {title}
          <button type="button" class="small" aria-label={words.value.close} onClick={() => closeDialog()}>
            <svg viewBox="0 0 16 16" aria-hidden="true">
              <path d="m4 4 8 8M12 4l-8 8" />
            </svg>
          </button>
        </h2>
        {children}
      </div>
    </dialog>
  );
}
