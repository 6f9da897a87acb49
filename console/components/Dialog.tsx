/** Modal dialogs, made of the `dialog` element, which keeps the focus inside. */

import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import { useTexts } from "../texts";
import { useAction } from "./action";
import { Button, IconButton } from "./Button";
import { ProblemNotice } from "./Notice";
import { enterLayer, Toasts } from "./Toasts";

export function Dialog({
  title,
  onClose,
  children,
  wide,
}: {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  wide?: boolean;
}) {
  const t = useTexts();
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  const isPressedOutside = useRef(false);
  useLayoutEffect(() => {
    const element = dialog.current!;
    element.showModal();
    const leave = enterLayer(id);
    return () => {
      leave();
      element.close(); // this restores the focus
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-labelledby={id}
      class={wide ? "wide" : undefined}
      // Unmounting closes the dialog too. The ref is null then, so `onClose` is not called.
      onClose={() => dialog.current && onClose()}
      onPointerDown={(event) => {
        isPressedOutside.current = event.target === dialog.current;
      }}
      onClick={(event) => {
        // Ignore a text selection that starts inside the dialog and ends outside.
        if (isPressedOutside.current && event.target === dialog.current) onClose();
      }}
    >
      <div class="dialog-box">
        <header>
          <h2 id={id}>{title}</h2>
          <IconButton icon="close" label={t.common.close} onClick={onClose} />
        </header>
        {children}
      </div>
      <Toasts layer={id} />
    </dialog>
  );
}

/** A dialog that runs `action` when the person confirms. It stays open if `action` fails. */
export function Confirm({
  title,
  children,
  yes,
  kind = "danger",
  action,
  onClose,
}: {
  title: string;
  children: ComponentChildren;
  /** The label of the button that confirms. */
  yes: string;
  kind?: "danger" | "primary";
  action: () => Promise<void>;
  onClose: () => void;
}) {
  const t = useTexts();
  const { busy, problem, run } = useAction();
  const confirm = async () => {
    if (await run(action)) onClose();
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <div class="stack">
        {children}
        {problem && <ProblemNotice problem={problem} />}
      </div>
      <footer>
        <Button onClick={onClose}>{t.common.cancel}</Button>
        <Button kind={kind} busy={busy} onClick={() => void confirm()}>
          {yes}
        </Button>
      </footer>
    </Dialog>
  );
}
