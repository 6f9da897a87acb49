/** What became of a message or, with a recipient, of its delivery to this recipient. */

import { shareOf, type Outcome } from "../api/sent_mail";
import type { DeliveryStatus, Status } from "../api/types";
import { useTexts } from "../texts";
import { number } from "../texts/formats";

const STATUSES: Record<Status, string> = {
  scheduled: "waiting",
  queued: "waiting",
  sending: "waiting",
  sent: "good",
  failed: "bad",
  unknown: "warning",
  cancelled: "",
};

const DELIVERIES: Record<DeliveryStatus, string> = {
  sent: "good",
  delayed: "warning",
  delivered: "good",
  rejected: "bad",
  failed: "bad",
  bounced: "bad",
  complained: "bad",
};

/** The delivery status takes precedence: a message that was sent may have bounced. */
export function Badge({ of }: { of: Outcome }) {
  const t = useTexts().sent;
  const { status, delivery_status: delivery } = of;
  const names: Record<string, string> = delivery ? t.delivery : t.status;
  const kinds: Record<string, string> = delivery ? DELIVERIES : STATUSES;
  const word = delivery ?? status;
  const name = names[word] ?? word;
  const share = shareOf(of);
  return (
    <span class={`badge ${kinds[word] ?? ""}`}>
      {share ? t.share(name, number(share.count), number(share.all)) : name}
    </span>
  );
}
