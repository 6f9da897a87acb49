/** Reads the mail of a sendbox entry. */

import type { DeliveryStatus, SendboxEntry, SentMail } from "./types";

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

/** The status to show. A sent message has the status of its delivery, for example `bounced`. */
export function outcomeOf({ status, delivery_status }: SendboxEntry): DeliveryStatus {
  return delivery_status ?? status;
}

/** `Name <address>`, with quotes around the name if needed (RFC 5322, section 3.4). */
export function mailbox(address: string, name: string | null): string {
  if (!name) return address;
  const isPlain = /^[^()<>[\]:;@\\,."]*$/.test(name);
  const quoted = isPlain ? name : `"${name.replace(/["\\]/g, "\\$&")}"`;
  return `${quoted} <${address}>`;
}
