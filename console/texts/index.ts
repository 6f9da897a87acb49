/** The texts of the console, in the language of the browser or of the person's choice. */

import { browserStorage } from "../state/storage";
import { createStore, useStore } from "../state/store";
import { en } from "./en";
import { zh } from "./zh";

export type Lang = "en" | "zh";
export type Texts = typeof en;

const TEXTS: Record<Lang, Texts> = { en, zh };

export const LANGUAGES: Record<Lang, string> = { en: "English", zh: "中文" };

export const lang = createStore<Lang>(chosen());

/** The texts of the current language. */
export function useTexts(): Texts {
  return TEXTS[useStore(lang)];
}

/** The texts of the current language, for code outside of components. */
export function texts(): Texts {
  return TEXTS[lang.get()];
}

export function chooseLang(wanted: Lang): void {
  browserStorage.set("lang", wanted);
  lang.set(wanted);
}

function chosen(): Lang {
  const kept = browserStorage.get("lang");
  if (kept === "en" || kept === "zh") return kept;
  const known = navigator.languages.map((tag) => tag.slice(0, 2).toLowerCase());
  return known.find((tag): tag is Lang => tag === "en" || tag === "zh") ?? "en";
}

function show(): void {
  document.documentElement.lang = lang.get() === "zh" ? "zh-Hans" : "en";
}

show();
lang.subscribe(show);
