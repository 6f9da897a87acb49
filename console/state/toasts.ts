/** Toasts: short messages at the edge of the screen, announced by screen readers. */

import { route } from "./route";
import { createStore } from "./store";

interface Toast {
  id: number;
  text: string;
  shownAt: number;
  kind: "good" | "bad";
}

const SECONDS = 6;

/** A toast that is older than this belongs to the screen that is left. */
const OLD_MS = 1000;

let last = 0;

export const toasts = createStore<Toast[]>([]);

export function toast(text: string, kind: Toast["kind"] = "good"): void {
  const id = ++last;
  toasts.set([...toasts.get().slice(-2), { id, text, kind, shownAt: Date.now() }]);
  if (kind === "good") setTimeout(() => dismiss(id), SECONDS * 1000);
}

export function dismiss(id: number): void {
  toasts.set(toasts.get().filter((shown) => shown.id !== id));
}

// An error stays until it is dismissed.
route.subscribe(() => {
  const isKept = ({ kind, shownAt }: Toast) => kind === "bad" || Date.now() - shownAt < OLD_MS;
  toasts.set(toasts.get().filter(isKept));
});
