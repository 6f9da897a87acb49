/** The console's words, in the language that the browser or the person chose. */

import { ofTheBrowser } from "../state/storage";
import { createStore, useStore } from "../state/store";
import { en } from "./en";
import { zh } from "./zh";

export type Lang = "en" | "zh";
export type Texts = typeof en;

const TEXTS: Record<Lang, Texts> = { en, zh };

export const LANGUAGES: Record<Lang, string> = { en: "English", zh: "中文" };

export const lang = createStore<Lang>(chosen());

/** The words of the language that is shown. */
export function useTexts(): Texts {
  return TEXTS[useStore(lang)];
}

/** The same outside of a component. */
export function texts(): Texts {
  return TEXTS[lang.get()];
}

export function chooseLang(wanted: Lang): void {
  ofTheBrowser.set("lang", wanted);
  lang.set(wanted);
}

function chosen(): Lang {
  const kept = ofTheBrowser.get("lang");
  if (kept === "en" || kept === "zh") return kept;
  const known = navigator.languages.map((tag) => tag.slice(0, 2).toLowerCase());
  return known.find((tag): tag is Lang => tag === "en" || tag === "zh") ?? "en";
}

function show(): void {
  document.documentElement.lang = lang.get() === "zh" ? "zh-Hans" : "en";
}

show();
lang.subscribe(show);
