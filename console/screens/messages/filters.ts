/** The filters of a list of messages: parameters of the route, and of the API. */

import type { DeliveryStatus, Status } from "../../api/types";

export const STATUSES: readonly Status[] = [
  "scheduled",
  "queued",
  "sending",
  "sent",
  "failed",
  "unknown",
  "cancelled",
];

/** The statuses of sent messages. `sent` is left out: it is a status of the message too. */
export const DELIVERIES: readonly Exclude<DeliveryStatus, "sent">[] = [
  "delivered",
  "delayed",
  "rejected",
  "failed",
  "bounced",
  "complained",
];

/** The names of the filters in the route. `address` is the sender, for administrators. */
const NAMES = [
  "q",
  "id",
  "status",
  "delivery",
  "recipient",
  "address",
  "tag",
  "since",
  "until",
] as const;

export type FilterName = (typeof NAMES)[number];

export type Filters = Partial<Record<FilterName, string>>;

/** The filters in a route. Unknown statuses and days that do not exist count as none. */
export function filtersOf(query: URLSearchParams): Filters {
  const filters: Filters = {};
  for (const name of NAMES) {
    const value = query.get(name)?.trim();
    if (value && isKnown(name, value)) filters[name] = value;
  }
  return filters;
}

function isKnown(name: FilterName, value: string): boolean {
  if (name === "status") return STATUSES.some((status) => status === value);
  if (name === "delivery") return DELIVERIES.some((status) => status === value);
  if (name === "since" || name === "until") return startOf(value) !== undefined;
  return true;
}

/** The parameters of the API for these filters. */
export function apiQuery(filters: Filters): Record<string, string> {
  const { delivery, recipient, since, until, ...same } = filters;
  const query: Record<string, string> = { ...same };
  if (delivery) query["delivery_status"] = delivery;
  // A text without @ is a domain.
  if (recipient) query["recipient"] = recipient.includes("@") ? recipient : `@${recipient}`;
  if (since) query["since"] = startOf(since)!;
  if (until) query["until"] = startOf(until, 1)!;
  return query;
}

/**
 * The start of the day `text` (YYYY-MM-DD) in the time zone of the browser, in ISO 8601, or of a
 * later day; undefined if there is no such day.
 */
function startOf(text: string, later = 0): string | undefined {
  const [year = NaN, month = NaN, day = NaN] = text.split("-").map(Number);
  const date = new Date(year, month - 1, day + later);
  const isDay = /^\d{4}-\d\d-\d\d$/.test(text) && year >= 1971 && !isNaN(date.valueOf());
  return isDay ? date.toISOString() : undefined;
}

/** Search words as a filter: an id that can be recognised is looked up. */
export function searchFilter(text: string): Filters {
  const isId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$|^<\S+@\S+>$/i.test(text);
  return isId ? { id: text, q: "" } : { q: text, id: "" };
}
