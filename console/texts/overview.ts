/** The texts of the administrators' overview, which load together with it. */

import { lang, type Lang } from ".";
import { useStore } from "../state/store";
import { overviewEn } from "./overview.en";
import { overviewZh } from "./overview.zh";

export type OverviewTexts = typeof overviewEn;

const TEXTS: Record<Lang, OverviewTexts> = { en: overviewEn, zh: overviewZh };

export function useOverviewTexts(): OverviewTexts {
  return TEXTS[useStore(lang)];
}
