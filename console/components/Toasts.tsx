/**
 * Shows the toasts in front of everything else.
 *
 * Each layer (the page, or a dialog) renders a live region from the start, so that screen readers
 * announce new toasts. Only the top layer shows the toasts, because a dialog makes the layers below
 * it inert.
 */

import { createStore, useStore } from "../state/store";
import { dismiss, toasts } from "../state/toasts";
import { useTexts } from "../texts";
import { IconButton } from "./Button";
import { Icon } from "./Icon";

const PAGE = "page";

const layers = createStore<readonly string[]>([PAGE]);

/** Add a layer on top; the returned function removes it. */
export function enterLayer(layer: string): () => void {
  layers.set([...layers.get(), layer]);
  return () => layers.set(layers.get().filter((one) => one !== layer));
}

export function Toasts({ layer = PAGE }: { layer?: string }) {
  const t = useTexts();
  const shown = useStore(toasts);
  const isInFront = useStore(layers).at(-1) === layer;
  return (
    <div class="toasts" role="status" aria-live="polite">
      {isInFront &&
        shown.map((toast) => (
          <div key={toast.id} class={`toast ${toast.kind}`}>
            <Icon name={toast.kind === "good" ? "check" : "alert"} />
            <span>{toast.text}</span>
            <IconButton icon="close" label={t.common.close} onClick={() => dismiss(toast.id)} />
          </div>
        ))}
    </div>
  );
}
