/** Reads the mail of a sendbox entry. */

import type { DeliveryKind, DeliveryStatus, SendboxEntry, SentMail, Status } from "./types";

const NOTHING: SentMail = {
  from_name: "",
  to_name: "",
  to_mail: "",
  subject: "",
  is_html: false,
  content: "",
};

/** The mail of `entry`. Its fields are empty if `raw` is unreadable, so the list is still shown. */
export function mailOf(entry: SendboxEntry): SentMail {
  try {
    return { ...NOTHING, ...(JSON.parse(entry.raw) as Partial<SentMail> | null) };
  } catch {
    return NOTHING;
  }
}

/** A message, or one of its recipients. */
export interface Outcome {
  status: Status | DeliveryKind;
  delivery_status: DeliveryStatus | null;
  delivery_count?: number | null;
  recipient_count?: number;
}

/** How many recipients have the delivery status, if not all have it. */
export function shareOf(outcome: Outcome): { count: number; all: number } | undefined {
  const { delivery_count: count, recipient_count: all } = outcome;
  return count != null && all !== undefined && count < all ? { count, all } : undefined;
}

/** All that the badge of an entry shows, to notice changes. */
export function outcomeKey(entry: SendboxEntry): unknown[] {
  return [entry.id, entry.status, entry.delivery_status, entry.delivery_count];
}

/** `Name <address>`, with quotes around the name if needed (RFC 5322, section 3.4). */
export function mailbox(address: string, name: string | null): string {
  if (!name) return address;
  const isPlain = /^[^()<>[\]:;@\\,."]*$/.test(name);
  const quoted = isPlain ? name : `"${name.replace(/["\\]/g, "\\$&")}"`;
  return `${quoted} <${address}>`;
}
