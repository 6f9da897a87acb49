/** The parts of a message that its owner and an administrator see alike. */

import { useState } from "preact/hooks";
import { mailbox, shareOf } from "../../api/sent_mail";
import type { Recipient, SendboxMessage, SentMail } from "../../api/types";
import { Badge } from "../../components/Badge";
import { Facts } from "../../components/Facts";
import { Preview } from "../../components/Preview";
import { Tabs } from "../../components/Tabs";
import { time } from "../../texts/formats";
import { useTexts } from "../../texts";
import { Answer, Codes, Story } from "./story";

/** The sender and all recipients, with what became of the message for each of them. */
export function Recipients({ message, mail }: { message: SendboxMessage; mail: SentMail }) {
  const t = useTexts();
  const recipients = (kind: "to" | "cc" | "bcc") => {
    const found = message.recipients.filter((recipient) => recipient.kind === kind);
    const list = found.length > 0 && (
      <ul class="recipients">
        {found.map((recipient) => (
          <li key={recipient.address}>
            <bdi>{mailbox(recipient.address, recipient.name)}</bdi>
            {hasOwnBadge(recipient, message) && <Badge of={recipient} />}
            {recipient.code !== message.code && <span class="hint">{recipient.explanation}</span>}
            <Story recipient={recipient} />
          </li>
        ))}
      </ul>
    );
    return [t.compose[kind], list] as const;
  };
  const replyTo = message.reply_to;
  return (
    <Facts
      facts={[
        [t.compose.from, <bdi>{mailbox(message.address, mail.from_name)}</bdi>],
        recipients("to"),
        recipients("cc"),
        recipients("bcc"),
        [t.compose.replyTo, replyTo && <bdi>{mailbox(replyTo.address, replyTo.name)}</bdi>],
      ]}
    />
  );
}

/** Whether the badge of the message does not say the same about the recipient. */
function hasOwnBadge(recipient: Recipient, message: SendboxMessage): boolean {
  const isSame =
    (recipient.delivery_status ?? recipient.status) === (message.delivery_status ?? message.status);
  return !isSame || shareOf(message) !== undefined;
}

/** The text and the HTML, as far as they are still stored and not too long to be shown. */
export function Content({ message }: { message: SendboxMessage }) {
  const t = useTexts();
  return (
    <>
      <Texts message={message} />
      {message.content_truncated && <p class="hint">{t.message.truncated}</p>}
    </>
  );
}

function Texts({ message }: { message: SendboxMessage }) {
  const t = useTexts();
  const { text, html } = message;
  const [chosen, setChosen] = useState<"html" | "text">(html === null ? "text" : "html");
  if (text === null && html === null) return <p class="muted">{t.message.noContent}</p>;
  const shownText = <pre class="message-text" dir="auto" tabIndex={0}>{text}</pre>;
  if (html === null) return shownText;
  if (text === null) return <Preview html={html} />;
  return (
    <Tabs
      label={t.message.content}
      tabs={[
        ["html", t.compose.html],
        ["text", t.message.textTab],
      ]}
      chosen={chosen}
      onChosen={setChosen}
    >
      {chosen === "html" ? <Preview html={html} /> : shownText}
    </Tabs>
  );
}

export function History({ message }: { message: SendboxMessage }) {
  const t = useTexts();
  // Only delivery events have a recipient. They have names of their own, because `failed` can be an
  // event of the message or of its delivery.
  const names = (isDelivery: boolean): Record<string, string> =>
    isDelivery ? t.message.deliveryEvents : t.message.events;
  return (
    <ol class="history">
      {message.history.map((event, index) => (
        <li key={index}>
          <strong>{names(event.recipient !== undefined)[event.event] ?? event.event}</strong>{" "}
          {event.recipient && <bdi>{event.recipient}</bdi>}{" "}
          {event.explanation && <div>{event.explanation}</div>}
          {event.recipient && <Answer kind={event.event} details={event} />}
          {event.settled_by && <div>{t.message.settled}</div>}
          {event.adaptations && <Adaptations sentences={event.adaptations} />}
          <div class="hint">
            <time dateTime={event.at}>{time(event.at)}</time>
            {event.recipient && <Codes details={event} />}
            {event.attempt > 1 && ` · ${t.message.attempt(event.attempt)}`}
          </div>
        </li>
      ))}
    </ol>
  );
}

/** What the SMTP relay has changed in the mail. The relay writes its sentences in English. */
function Adaptations({ sentences }: { sentences: string[] }) {
  const t = useTexts().message;
  return (
    <>
      <div>{t.adaptations}</div>
      <ul class="adaptations" lang="en">
        {sentences.map((sentence, index) => (
          <li key={index}>
            <bdi>{sentence}</bdi>
          </li>
        ))}
      </ul>
    </>
  );
}

export function Details({ message }: { message: SendboxMessage }) {
  const t = useTexts().message;
  const facts: [string, string | null][] = [
    [t.scheduledAt, message.scheduled_at && time(message.scheduled_at)],
    [t.nextAt, message.next_attempt_at && time(message.next_attempt_at)],
    [t.id, message.id],
    [t.messageId, message.message_id],
    [t.code, message.code],
    [t.headers, lines(Object.entries(message.headers))],
    [t.tags, lines(message.tags.map(({ name, value }) => [name, value]))],
  ];
  return <Facts facts={facts.map(([name, value]) => [name, value && <bdi>{value}</bdi>])} />;
}

function lines(pairs: [string, string][]): string {
  return pairs.map(([name, value]) => `${name}: ${value}`).join("; ");
}
