/** The appearance that a person chose. It is no secret, so signing out keeps it. */

import { browserStorage } from "./storage";
import { createStore } from "./store";

export type Theme = "auto" | "light" | "dark";

export const theme = createStore<Theme>(storedTheme());

export function chooseTheme(chosen: Theme): void {
  browserStorage.set("theme", chosen);
  theme.set(chosen);
}

function storedTheme(): Theme {
  const text = browserStorage.get("theme");
  return text === "light" || text === "dark" ? text : "auto";
}

function show(): void {
  document.documentElement.dataset.theme = theme.get();
}

show();
theme.subscribe(show);
