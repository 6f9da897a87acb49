/** A row of a list of messages. */

import { mailOf } from "../../api/sent_mail";
import type { SendboxEntry, SentMail } from "../../api/types";
import { Badge } from "../../components/Badge";
import { href, route } from "../../state/route";
import { useTexts } from "../../texts";
import { number, serverTime, shortTime, time } from "../../texts/formats";

export function Entry({
  entry,
  place,
  withSender,
}: {
  entry: SendboxEntry;
  /** The route of the list. */
  place: string;
  withSender: boolean;
}) {
  const t = useTexts().sent;
  const mail = mailOf(entry);
  const others = entry.recipient_count - 1;
  // The page of the message leads back to this place of the list.
  const from = route.get().query.toString();
  return (
    <li>
      <a href={href(`${place}/${entry.id}`, { from })}>
        {withSender && (
          <span class="from one-line-text">
            <bdi>{entry.address}</bdi>
          </span>
        )}
        <span class="to one-line-text">
          <bdi>{mail.to_name || mail.to_mail}</bdi>
          {others > 0 && <span class="others"> {t.others(number(others))}</span>}
        </span>
        <span class="what one-line-text">
          <bdi class="subject">{mail.subject || t.noSubject}</bdi>{" "}
          <bdi class="snippet">{snippet(mail)}</bdi>
        </span>
        <Badge of={entry} />
        <When entry={entry} />
      </a>
    </li>
  );
}

/** When the message was accepted or, if it is scheduled, when it is going to be sent. */
function When({ entry: { status, scheduled_at: later, created_at: accepted } }: { entry: SendboxEntry }) {
  const t = useTexts().sent;
  const isLater = status === "scheduled" && later;
  const at = isLater ? later : accepted;
  return (
    <time dateTime={serverTime(at).toISOString()} title={time(at)}>
      {isLater ? t.scheduledFor(time(at)) : shortTime(at)}
    </time>
  );
}

/** The start of the text, on one line. */
function snippet(mail: SentMail): string {
  const start = mail.content.slice(0, 2000);
  const text = mail.is_html
    ? unescaped(start.replace(/<(style|script|title)[\s\S]*?<\/\1>|<[^>]*>?/gi, " "))
    : start;
  return text.replace(/\s+/g, " ").trim().slice(0, 160);
}

/** `text` with its character references replaced; a text area reads no elements. */
function unescaped(text: string): string {
  const area = document.createElement("textarea");
  area.innerHTML = text.replaceAll("<", "&lt;");
  return area.value;
}
