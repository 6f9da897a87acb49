/** Maps the errors of the server to the fields of the screen. */

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

interface FieldErrors {
  at: Partial<Record<ErrorField, string>>;
  /** The errors that belong to no field. */
  elsewhere: FieldProblem[];
}

export function errorsByField(problem: Problem | undefined, draft: Draft): FieldErrors {
  const result: FieldErrors = { at: {}, elsewhere: [] };
  for (const error of problem?.errors ?? []) {
    const [name = "", index] = error.field.split(/[[\].]/);
    const field = Object.hasOwn(FIELDS, name) ? FIELDS[name as keyof typeof FIELDS] : undefined;
    if (!field) {
      result.elsewhere.push(error);
      continue;
    }
    if (field === "laterAt") {
      result.at[field] = texts().compose.laterWrong; // the server's message is for programs
      continue;
    }
    const entry = index === undefined ? undefined : entryName(field, Number(index), draft);
    const sentence = entry ? `${entry}: ${error.message}` : error.message;
    const known = result.at[field];
    result.at[field] = known ? `${known} ${sentence}` : sentence;
  }
  return result;
}

/** The entry of a list that the error is about. */
function entryName(field: ErrorField, index: number, draft: Draft): string | undefined {
  if (field === "files") return draft.files[index]?.name;
  if (field === "to" || field === "cc" || field === "bcc") return mailboxes(draft[field])[index];
  return undefined;
}
