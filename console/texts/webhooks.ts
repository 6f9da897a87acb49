/** The texts of the webhooks, which load together with their screens. */

import { lang, type Lang } from ".";
import { useStore } from "../state/store";
import { webhooksEn } from "./webhooks.en";
import { webhooksZh } from "./webhooks.zh";

export type WebhookTexts = typeof webhooksEn;

const TEXTS: Record<Lang, WebhookTexts> = { en: webhooksEn, zh: webhooksZh };

export function useWebhookTexts(): WebhookTexts {
  return TEXTS[useStore(lang)];
}
