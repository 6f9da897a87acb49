/** Where on the screen a refusal of the server is shown. */

import type { FieldProblem, Problem } from "../../api/client";
import type { Draft } from "../../state/drafts";
import { texts } from "../../texts";
import { mailboxes } from "./outgoing";

const FIELDS = {
  from_name: "fromName",
  to: "to",
  to_mail: "to",
  cc: "cc",
  bcc: "bcc",
  reply_to: "replyTo",
  subject: "subject",
  content: "body",
  text: "body",
  html: "body",
  attachments: "files",
  scheduled_at: "laterAt",
} as const;

export type ErrorField = (typeof FIELDS)[keyof typeof FIELDS];

export interface Placed {
  at: Partial<Record<ErrorField, string>>;
  /** What belongs to no field that is shown. */
  elsewhere: FieldProblem[];
}

export function placed(problem: Problem | undefined, draft: Draft): Placed {
  const result: Placed = { at: {}, elsewhere: [] };
  for (const error of problem?.errors ?? []) {
    const [name = "", index] = error.field.split(/[[\].]/);
    const field = Object.hasOwn(FIELDS, name) ? FIELDS[name as keyof typeof FIELDS] : undefined;
    if (!field) {
      result.elsewhere.push(error);
      continue;
    }
    if (field === "laterAt") {
      result.at[field] = texts().compose.laterWrong; // the server's words are a program's
      continue;
    }
    const culprit = index === undefined ? undefined : named(field, Number(index), draft);
    const sentence = culprit ? `${culprit}: ${error.message}` : error.message;
    const known = result.at[field];
    result.at[field] = known ? `${known} ${sentence}` : sentence;
  }
  return result;
}

/** The entry of a list that is wrong. */
function named(field: ErrorField, index: number, draft: Draft): string | undefined {
  if (field === "files") return draft.files[index]?.name;
  if (field === "to" || field === "cc" || field === "bcc") return mailboxes(draft[field])[index];
  return undefined;
}
