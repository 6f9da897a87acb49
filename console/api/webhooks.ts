/** The webhooks of an address and of the deployment; docs/api.md describes their API. */

import { call, type Options } from "./client";

/** The path in the API, and in the console. */
export type Base = "/webhooks" | "/admin/webhooks";

/** The types of events, in the order of the API. */
export const EVENTS = [
  "email.queued",
  "email.scheduled",
  "email.sent",
  "email.failed",
  "email.suppressed",
  "email.unknown",
  "email.cancelled",
  "email.delivered",
  "email.delivery_delayed",
  "email.bounced",
  "email.complained",
  "suppression.added",
  "suppression.removed",
  "address.paused",
] as const;

export type WebhookEvent = (typeof EVENTS)[number];

export const DELIVERY_STATUSES = ["pending", "attempting", "success", "failed"] as const;

export type WebhookDeliveryStatus = (typeof DELIVERY_STATUSES)[number];

/** Why a webhook is disabled: by its owner, after status 410, or after three days of failures. */
export type DisabledReason = "owner" | "gone" | "failing";

export interface ListedWebhook {
  id: string;
  endpoint: string;
  events: WebhookEvent[];
  status: "enabled" | "disabled";
  disabled_reason: DisabledReason | null;
  /** The time of the first failure after the last success. */
  failing_since: string | null;
  created_at: string;
}

export interface Webhook extends ListedWebhook {
  signing_secret: string;
}

export interface DisabledWebhook extends ListedWebhook {
  /** The address that owns the webhook; null for administrators. */
  address: string | null;
}

export interface CreatedWebhook {
  id: string;
  signing_secret: string;
}

export interface WebhookResponse {
  milliseconds: number;
  /** Null without a response. */
  status_code: number | null;
  /** The beginning of the response's body. */
  response: string | null;
  /** Why there was no response. */
  error: string | null;
}

export interface WebhookAttempt extends WebhookResponse {
  number: number;
  sent_at: string;
}

export interface WebhookDelivery {
  id: string;
  type: WebhookEvent;
  status: WebhookDeliveryStatus;
  created_at: string;
  next_attempt_at: string | null;
  /** Newest first. */
  attempts: WebhookAttempt[];
}

export interface WebhookTest extends WebhookResponse {
  success: boolean;
  /** The body that was sent. */
  payload: Record<string, unknown>;
}

/** Whose credential the calls need. */
export function callerOf(base: Base): Options["as"] {
  return base === "/webhooks" ? "address" : "admin";
}

/** @throws Problem */
export function callWebhooks<T>(
  base: Base,
  method: string,
  path = "",
  body?: unknown,
): Promise<T> {
  return call<T>(method, `${base}${path}`, { as: callerOf(base), body });
}
