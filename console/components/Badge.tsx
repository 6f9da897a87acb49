/** The status of a message, or of its delivery to one recipient. */

import type { DeliveryStatus } from "../api/types";
import { useTexts } from "../texts";

const KINDS: Record<DeliveryStatus, string> = {
  scheduled: "waiting",
  queued: "waiting",
  sending: "waiting",
  delayed: "waiting",
  sent: "good",
  delivered: "good",
  failed: "bad",
  rejected: "bad",
  bounced: "bad",
  complained: "bad",
  unknown: "warning",
  cancelled: "",
};

export function Badge({ status }: { status: DeliveryStatus }) {
  const t = useTexts();
  return <span class={`badge ${KINDS[status] ?? ""}`}>{t.sent.status[status] ?? status}</span>;
}
