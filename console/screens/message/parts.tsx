/** The parts of a message that its owner and an administrator see alike. */

import { useState } from "preact/hooks";
import { mailbox, shareOf } from "../../api/sent_mail";
import type { Recipient, SendboxMessage, SentMail } from "../../api/types";
import { Badge } from "../../components/Badge";
import { Button } from "../../components/Button";
import { CopyButton } from "../../components/Copy";
import { Facts } from "../../components/Facts";
import { Preview } from "../../components/Preview";
import { Tabs } from "../../components/Tabs";
import { exactTime, number } from "../../texts/formats";
import { useTexts } from "../../texts";
import { headerOf } from "./source";
import { Answer, Codes, Story } from "./story";

/** Further recipients are shown on demand. */
const MOST_RECIPIENTS = 5;

/** The sender and all recipients, with what became of the message for each of them. */
export function Recipients({ message, mail }: { message: SendboxMessage; mail: SentMail }) {
  const t = useTexts();
  const [isWhole, setIsWhole] = useState(false);
  const all = message.recipients;
  // The first ones are those that need attention.
  const first = new Set([...all].sort((a, b) => trouble(b) - trouble(a)).slice(0, MOST_RECIPIENTS));
  const isShown = (recipient: Recipient) => isWhole || first.has(recipient);
  const recipients = (kind: "to" | "cc" | "bcc") => {
    const found = all.filter((recipient) => recipient.kind === kind && isShown(recipient));
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
  const hidden = all.length - first.size;
  return (
    <>
    <Facts
      facts={[
        [t.compose.from, <bdi>{mailbox(message.address, mail.from_name)}</bdi>],
        recipients("to"),
        recipients("cc"),
        recipients("bcc"),
        [t.compose.replyTo, replyTo && <bdi>{mailbox(replyTo.address, replyTo.name)}</bdi>],
      ]}
    />
    {hidden > 0 && !isWhole && (
      <Button small onClick={() => setIsWhole(true)}>
        {t.message.allRecipients(number(all.length))}
      </Button>
    )}
    </>
  );
}

const TROUBLE = ["delayed", "rejected", "failed", "bounced", "complained"];

function trouble(recipient: Recipient): number {
  return TROUBLE.indexOf(recipient.delivery_status ?? "");
}

/** Whether the badge of the message does not say the same about the recipient. */
function hasOwnBadge(recipient: Recipient, message: SendboxMessage): boolean {
  const isSame =
    (recipient.delivery_status ?? recipient.status) === (message.delivery_status ?? message.status);
  return !isSame || shareOf(message) !== undefined;
}

/** The HTML, the text and the header, as far as they are stored and not too long to be shown. */
export function Content({ message, mail }: { message: SendboxMessage; mail: SentMail }) {
  const t = useTexts();
  const { text, html } = message;
  const [chosen, setChosen] = useState<Part>(html !== null ? "html" : "text");
  const tabs: (readonly [Part, string])[] = [
    ...(html === null ? [] : [["html", t.compose.html] as const]),
    ...(text === null && html !== null ? [] : [["text", t.message.textTab] as const]),
    ["header", t.message.headerTab],
  ];
  return (
    <>
      <Tabs label={t.message.content} tabs={tabs} chosen={chosen} onChosen={setChosen}>
        {chosen === "html" && html !== null && <Preview html={html} />}
        {chosen === "text" &&
          (text === null ? (
            <p class="muted">{t.message.noContent}</p>
          ) : (
            <pre class="message-text" dir="auto" tabIndex={0}>
              {text}
            </pre>
          ))}
        {chosen === "header" && (
          <Facts
            facts={headerOf(message, mail).map(([name, value]) => [name, <bdi>{value}</bdi>])}
          />
        )}
      </Tabs>
      {message.content_truncated && <p class="hint">{t.message.truncated}</p>}
    </>
  );
}

type Part = "html" | "text" | "header";

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
          {event.next_transport && <div>{t.message.triedNext(event.next_transport)}</div>}
          {event.recipient && <Answer kind={event.event} details={event} />}
          {event.settled_by && <div>{t.message.settled}</div>}
          {event.adaptations && <Adaptations sentences={event.adaptations} />}
          <div class="hint">
            <time dateTime={event.at}>{exactTime(event.at)}</time>
            {event.recipient && <Codes details={event} />}
            {event.attempt > 1 && ` · ${t.message.attempt(event.attempt)}`}
            {event.transport && ` · ${t.message.through(event.transport)}`}
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
  const { attempts, scheduled_at: later, next_attempt_at: next } = message;
  // A scheduled message has its first attempt at its time.
  const nextAt = next !== later ? next : null;
  const known = (name: string, value: string | null) =>
    [
      name,
      value && (
        <div class="spread">
          <bdi>{value}</bdi>
          <CopyButton text={value} label={name} />
        </div>
      ),
    ] as const;
  const plain: [string, string | null][] = [
    [t.scheduledAt, later && exactTime(later)],
    [t.nextAt, nextAt && exactTime(nextAt)],
    [t.attempts, attempts > 0 ? number(attempts) : null],
    [t.code, message.code],
    [t.tags, message.tags.map(({ name, value }) => `${name}: ${value}`).join("; ")],
  ];
  return (
    <Facts
      facts={[
        known(t.id, message.id),
        known(t.messageId, message.message_id),
        known(t.requestId, message.request_id),
        ...plain.map(([name, value]) => [name, value && <bdi>{value}</bdi>] as const),
      ]}
    />
  );
}
