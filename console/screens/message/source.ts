/** The header and the source of a message (RFC 5322, RFC 2045), without attachments. */

import { mailbox } from "../../api/sent_mail";
import { serverTime } from "../../texts/formats";
import type { SendboxMessage, SentMail } from "../../api/types";

type Field = readonly [name: string, value: string];

/** The fields of the header that the service has determined. Hidden recipients are not in it. */
export function headerOf(message: SendboxMessage, mail: SentMail): Field[] {
  const recipients = (kind: "to" | "cc") =>
    message.recipients
      .filter((recipient) => recipient.kind === kind)
      .map(({ address, name }) => mailbox(address, name))
      .join(", ");
  const { reply_to: replyTo } = message;
  const fields: Field[] = [
    ["From", mailbox(message.address, mail.from_name)],
    ["To", recipients("to")],
    ["Cc", recipients("cc")],
    ["Reply-To", replyTo ? mailbox(replyTo.address, replyTo.name) : ""],
    ["Subject", mail.subject],
    ["Date", serverTime(message.created_at).toUTCString().replace("GMT", "+0000")],
    ["Message-ID", message.message_id ?? ""],
    ...Object.entries(message.headers),
  ];
  return fields.filter(([, value]) => value);
}

export function source(message: SendboxMessage, mail: SentMail): string {
  const { text, html } = message;
  const parts = [
    ...(text === null ? [] : [part("plain", text)]),
    ...(html === null ? [] : [part("html", html)]),
  ];
  const boundary = `part-${message.id}`;
  const body =
    parts.length === 1
      ? parts[0]!
      : [
          `Content-Type: multipart/alternative; boundary="${boundary}"\r\n\r\n`,
          ...parts.map((one) => `--${boundary}\r\n${one}`),
          `--${boundary}--\r\n`,
        ].join("");
  const header = headerOf(message, mail).map(
    ([name, value]) => `${name}: ${name === "Message-ID" ? value : encoded(value)}\r\n`,
  );
  return `${header.join("")}MIME-Version: 1.0\r\n${body}`;
}

function part(kind: "plain" | "html", content: string): string {
  const lines = base64(content).match(/.{1,76}/g) ?? [];
  return [
    `Content-Type: text/${kind}; charset=utf-8`,
    "Content-Transfer-Encoding: base64",
    "",
    ...lines,
    "",
  ].join("\r\n");
}

/** `value` in short lines; text that is not ASCII as encoded words (RFC 2047). */
function encoded(value: string): string {
  const words = value.match(/<[^<> ]*>,?|[^ ]+/g) ?? [];
  if (/^[\x20-\x7e]*$/.test(value)) return folded(words);
  const found: string[] = [];
  let text: string[] = [];
  const end = () => {
    const all = [...text.join(" ")];
    for (let at = 0; at < all.length; at += 12) {
      found.push(`=?utf-8?B?${base64(all.slice(at, at + 12).join(""))}?=`);
    }
    text = [];
  };
  for (const word of words) {
    // Addresses stay as they are.
    if (/^[\x21-\x7e]+@[\x21-\x7e]+$/.test(word)) {
      end();
      found.push(word);
    } else text.push(word);
  }
  end();
  return folded(found);
}

function folded(words: readonly string[]): string {
  let line = "";
  const lines: string[] = [];
  for (const word of words) {
    if (line && line.length + word.length > 60) {
      lines.push(line);
      line = word;
    } else line = line ? `${line} ${word}` : word;
  }
  return [...lines, line].join("\r\n ");
}

function base64(text: string): string {
  let binary = "";
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte);
  return btoa(binary);
}
