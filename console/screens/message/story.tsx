/** What became of the mail for one recipient, in words. */

import type { DeliveryDetails, Recipient } from "../../api/types";
import { exactTime } from "../../texts/formats";
import { useTexts } from "../../texts";
import { causeOf } from "./delivery_cause";

/** The status of a recipient who has a delivery event: what happened, why, and when. */
export function Story({ recipient }: { recipient: Recipient }) {
  const t = useTexts().message;
  const { delivery_status: kind, delivery_status_at: at } = recipient;
  if (!kind || kind === "sent" || !at) return null;
  const story = kind === "bounced" ? bounceOf(recipient) : kind;
  return (
    <div class="story">
      <Answer kind={kind} details={recipient} then={t.stories[story]} />
      <div class="hint">
        <time dateTime={at}>{exactTime(at)}</time>
        <Codes details={recipient} />
      </div>
    </div>
  );
}

function bounceOf({ permanent }: Recipient) {
  if (permanent === null) return "bounced";
  return permanent ? "bouncedForever" : "bouncedForNow";
}

/** The cause in words, the sentence `then`, and the answer of the server or the provider. */
export function Answer({
  kind,
  details,
  then,
}: {
  kind: string;
  details: DeliveryDetails;
  then?: string;
}) {
  const t = useTexts().message;
  const cause = causeOf(kind, details);
  const sentences = [cause && t.causes[cause], then].filter(Boolean);
  return (
    <>
      {sentences.length > 0 && <div>{sentences.join(" ")}</div>}
      {details.smtp_response && (
        <div>
          {kind === "rejected" ? t.providerSaid : t.serverSaid}{" "}
          <bdi class="answer" lang="en">
            {details.smtp_response}
          </bdi>
        </div>
      )}
    </>
  );
}

/** The codes and the provider's word for the cause, behind a time. */
export function Codes({ details }: { details: DeliveryDetails }) {
  const t = useTexts().message;
  const { smtp_code: code, enhanced_code: enhanced, reason } = details;
  const parts = [code && t.smtpCode(code), enhanced, reason && t.reason(reason)].filter(Boolean);
  return (
    <>
      {parts.map((part) => (
        <span key={part}>
          {" · "}
          <bdi>{part}</bdi>
        </span>
      ))}
    </>
  );
}
