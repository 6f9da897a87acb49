/** What a person chose for how the console looks; no secret, so it stays when they sign out. */

import { ofTheBrowser } from "./storage";
import { createStore } from "./store";

export type Theme = "auto" | "light" | "dark";

export const theme = createStore<Theme>(storedTheme());

export function chooseTheme(chosen: Theme): void {
  ofTheBrowser.set("theme", chosen);
  theme.set(chosen);
}

function storedTheme(): Theme {
  const text = ofTheBrowser.get("theme");
  return text === "light" || text === "dark" ? text : "auto";
}

function show(): void {
  document.documentElement.dataset.theme = theme.get();
}

show();
theme.subscribe(show);
