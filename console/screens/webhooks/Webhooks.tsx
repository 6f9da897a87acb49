/** The list of webhooks, or the page of one. `base` says whose webhooks they are. */

import type { Base } from "../../api/webhooks";
import { WebhookList } from "./WebhookList";
import { WebhookPage } from "./WebhookPage";

export function Webhooks({ base, id }: { base: Base; id: string }) {
  return id ? <WebhookPage base={base} id={id} /> : <WebhookList base={base} />;
}
