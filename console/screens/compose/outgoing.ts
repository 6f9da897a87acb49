/** Converts a draft to the body of the send request. */

import type { Draft, DraftFile } from "../../state/drafts";
import { apiTime } from "../../texts/formats";

/** The body of `POST /api/send_mail`. */
export function outgoing(draft: Draft): Record<string, unknown> {
  return {
    from_name: draft.fromName,
    to: mailboxes(draft.to),
    cc: mailboxes(draft.cc),
    bcc: mailboxes(draft.bcc),
    reply_to: draft.replyTo.trim() || undefined,
    subject: draft.subject,
    content: draft.body,
    is_html: draft.isHtml,
    attachments: draft.files.map((file) => ({
      filename: file.name,
      content: base64(file.bytes),
      content_type: file.type || undefined,
      content_id: isUsed(file, draft) ? file.contentId : undefined,
    })),
    scheduled_at: draft.isLater ? apiTime(draft.laterAt) : undefined,
  };
}

/** Whether the HTML shows `file` as an inline image. Otherwise the file is a plain attachment. */
export function isUsed(file: DraftFile, draft: Draft): boolean {
  return Boolean(file.contentId && draft.isHtml && draft.body.includes(`cid:${file.contentId}`));
}

/** The content ids of images that the HTML shows but the draft does not contain. */
export function missingImages(draft: Draft): string[] {
  if (!draft.isHtml) return [];
  const named = [...draft.body.matchAll(/\ssrc\s*=\s*["']?cid:([^"'\s>]+)/gi)].map(([, id]) => id!);
  const there = new Set(draft.files.map((file) => file.contentId));
  return [...new Set(named)].filter((id) => !there.has(id));
}

/**
 * The mailboxes of a field, separated by commas, semicolons (also the Chinese ones) or line ends.
 *
 * `"Doe, J" <j@example.com>, b@example.com` are two mailboxes.
 */
export function mailboxes(text: string): string[] {
  const found = text.match(/(?:"(?:[^"\\]|\\.)*"|<[^<>]*>|[^,;，、；\n"]|")+/g) ?? [];
  return found.map((one) => one.trim()).filter(Boolean);
}

export function base64(bytes: ArrayBuffer): string {
  const all = new Uint8Array(bytes);
  const parts: string[] = [];
  // A part has few enough bytes to pass them as arguments. Their number is a multiple of 3, so the
  // base64 texts of the parts can be joined.
  for (let at = 0; at < all.length; at += 24_576) {
    parts.push(btoa(String.fromCharCode(...all.subarray(at, at + 24_576))));
  }
  return parts.join("");
}
