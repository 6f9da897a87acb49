/** Why a mail was not delivered, from the codes of the receiving server (RFC 3463, RFC 5321). */

import type { DeliveryDetails } from "../../api/types";
import type { Texts } from "../../texts";

export type Cause = keyof Texts["message"]["causes"];

/** The causes by the subject and the detail of an enhanced code, and by the subject alone. */
const BY_ENHANCED_CODE: Record<string, Cause> = {
  "1": "badAddress",
  "1.1": "noMailbox",
  "1.2": "noDomain",
  "1.6": "moved",
  "1.7": "unauthenticated",
  "1.8": "unauthenticated",
  "1.10": "noDomain", // RFC 7505
  "2.1": "disabled",
  "2.2": "full",
  "2.3": "tooLarge",
  "3": "serverProblem",
  "3.4": "tooLarge",
  "4": "unreachable",
  "6": "content",
  "7": "policy",
  // RFC 7372
  "7.20": "unauthenticated",
  "7.21": "unauthenticated",
  "7.22": "unauthenticated",
  "7.23": "unauthenticated",
  "7.24": "unauthenticated",
  "7.25": "unauthenticated",
  "7.26": "unauthenticated",
};

/** Other codes, such as 550, have several causes. */
const BY_SMTP_CODE: Record<string, Cause> = {
  "421": "tryLater",
  "450": "tryLater",
  "451": "tryLater",
  "452": "serverProblem",
  "552": "full",
  "553": "badAddress",
};

/** The cause of the delivery status `kind`; undefined if it is not known or there is none. */
export function causeOf(kind: string, details: DeliveryDetails): Cause | undefined {
  if (kind === "delivered" || kind === "complained") return undefined;
  if (kind === "rejected") return details.reason === "suppressed" ? "suppressed" : undefined;
  const { smtp_code: code, smtp_response: response } = details;
  const enhanced = details.enhanced_code ?? /^\d{3}[ -](\d\.\d+\.\d+)\b/.exec(response ?? "")?.[1];
  if (enhanced) {
    const [level, subject = "", detail] = enhanced.split(".");
    const cause = BY_ENHANCED_CODE[`${subject}.${detail}`] ?? BY_ENHANCED_CODE[subject];
    // A temporary rejection by policy is a greylist or a limit.
    return cause === "policy" && level === "4" ? "tryLater" : cause;
  }
  if (code) return BY_SMTP_CODE[code];
  // The provider reports no codes if no server answered.
  return response || kind === "failed" ? undefined : "noAnswer";
}
