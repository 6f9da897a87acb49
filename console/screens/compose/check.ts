/** Checks a draft before it is sent, with the rules and the sentences of the server (mail/). */

import type { Draft } from "../../state/drafts";
import { number, size } from "../../texts/formats";
import { texts } from "../../texts";
import { MOST_BYTES, totalSize } from "./Attachments";
import { mailboxes, missingImages } from "./outgoing";

export const MOST_RECIPIENTS = 50;
const LONGEST_SUBJECT = 998;
const LONGEST_LOCAL = 64;
const LONGEST_DOMAIN = 253;
const LONGEST_ADDRESS = 254;
const MOST_DAYS = 30;
const DAY_MS = 86_400_000;

const ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+";
const DOT_STRING = new RegExp(`^${ATOM}(?:\\.${ATOM})*$`);
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const NAME_ADDRESS = /^(?:"(?:[^"\\]|\\.)*" *|[^"<>]*)<([^<>]*)>$/s;
const NOT_ASCII = /\P{ASCII}/u;

const LISTS = ["to", "cc", "bcc"] as const;

/** The address in a mailbox such as `Bob <bob@example.com>`. */
export function addressIn(mailbox: string): string {
  return (NAME_ADDRESS.exec(mailbox.trim())?.[1] ?? mailbox).trim();
}

/** What is wrong with the address in `mailbox`. The server checks more, such as the name. */
export function addressError(mailbox: string): string | undefined {
  const t = texts().compose.wrong;
  const address = addressIn(mailbox);
  const at = address.lastIndexOf("@");
  const [local, domain] = [address.slice(0, Math.max(at, 0)), address.slice(at + 1)];
  if (at < 0 || !local || !domain) return t.address;
  if (NOT_ASCII.test(local) && !local.includes("@")) return t.localPart;
  if (!DOT_STRING.test(local)) return t.address;
  // The server converts other domains to ASCII, and checks the result.
  if (NOT_ASCII.test(domain)) return undefined;
  const labels = domain.toLowerCase().split(".");
  const isDomain =
    domain.length <= LONGEST_DOMAIN &&
    labels.length >= 2 &&
    !/^\d+$/.test(labels.at(-1)!) &&
    labels.every((label) => LABEL.test(label));
  if (!isDomain) return t.domain;
  if (local.length > LONGEST_LOCAL || address.length > LONGEST_ADDRESS) return t.tooLong;
  return undefined;
}

/** The number of different recipients. */
export function recipientCount(draft: Draft): number {
  const all = LISTS.flatMap((name) => mailboxes(draft[name]));
  return new Set(all.map((one) => addressIn(one).toLowerCase())).size;
}

/** All errors of `draft`, by the JSON paths of the fields in the request. */
export function draftErrors(draft: Draft): Record<string, string> {
  const t = texts().compose;
  const errors: Record<string, string> = {};
  for (const name of LISTS) {
    mailboxes(draft[name]).forEach((mailbox, index) => {
      const error = addressError(mailbox);
      if (error) errors[`${name}[${index}]`] = error;
    });
  }
  const count = recipientCount(draft);
  if (!count) errors["to"] = t.wrong.noRecipient;
  if (count > MOST_RECIPIENTS) {
    errors["to"] = t.wrong.tooMany(number(count), number(MOST_RECIPIENTS));
  }
  const replyTo = draft.replyTo.trim() && addressError(draft.replyTo);
  if (replyTo) errors["reply_to"] = replyTo;
  const length = [...draft.subject].length;
  if (length > LONGEST_SUBJECT) {
    errors["subject"] = t.wrong.subjectTooLong(number(LONGEST_SUBJECT));
  } else if (!draft.subject.trim()) errors["subject"] = t.wrong.noSubject;
  const missing = missingImages(draft).map((id) => t.missingImage(id));
  if (!draft.body) errors["content"] = t.wrong.noContent;
  else if (missing.length) errors["content"] = missing.join(" ");
  if (totalSize(draft) > MOST_BYTES) errors["attachments"] = t.tooLarge(size(MOST_BYTES));
  if (draft.isLater && !isSoon(draft.laterAt)) errors["scheduled_at"] = t.laterWrong;
  return errors;
}

/** Whether `local`, the value of a datetime-local field, is in the future, at most 30 days ahead. */
function isSoon(local: string): boolean {
  const ahead = new Date(local).valueOf() - Date.now();
  return ahead > 0 && ahead <= MOST_DAYS * DAY_MS;
}
