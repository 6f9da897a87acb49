/** What several screens of the webhooks show. */

import type { ListedWebhook, WebhookResponse } from "../../api/webhooks";
import { number } from "../../texts/formats";
import { useWebhookTexts, type WebhookTexts } from "../../texts/webhooks";

export function State({ of: webhook }: { of: ListedWebhook }) {
  const { states } = useWebhookTexts();
  if (webhook.status === "disabled") {
    const kind = webhook.disabled_reason === "owner" ? "" : "bad";
    return <span class={`badge ${kind}`}>{states.disabled}</span>;
  }
  return webhook.failing_since ? (
    <span class="badge warning">{states.failing}</span>
  ) : (
    <span class="badge good">{states.enabled}</span>
  );
}

/** The status of a response and its duration, or why there was no response. */
export function responseLine(response: WebhookResponse, t: WebhookTexts): string {
  const { status_code: code, milliseconds, error } = response;
  if (code !== null) return t.status(String(code), number(milliseconds));
  const seconds = /^no response within (\d+) s$/.exec(error ?? "")?.[1];
  return seconds ? t.timeout(seconds) : t.none(error ?? "–");
}
