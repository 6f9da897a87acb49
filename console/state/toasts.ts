/** Toasts: short messages at the edge of the screen, announced by screen readers. */

import { createStore } from "./store";

interface Toast {
  id: number;
  text: string;
  kind: "good" | "bad";
}

const SECONDS = 6;
let last = 0;

export const toasts = createStore<Toast[]>([]);

export function toast(text: string, kind: Toast["kind"] = "good"): void {
  const id = ++last;
  toasts.set([...toasts.get().slice(-2), { id, text, kind }]);
  // An error stays until it is dismissed.
  if (kind === "good") setTimeout(() => dismiss(id), SECONDS * 1000);
}

export function dismiss(id: number): void {
  toasts.set(toasts.get().filter((shown) => shown.id !== id));
}
