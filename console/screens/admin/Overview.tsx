/** The overview: open tasks, the set-up, what became of the mail, the limits, and the database. */

import {
  useAdmin,
  type AddressRow,
  type BalanceRow,
  type Part,
  type PauseRow,
  type Rows,
} from "../../api/admin";
import type { Overview as State } from "../../api/overview";
import type { Usage } from "../../api/types";
import type { DisabledWebhook } from "../../api/webhooks";
import { ButtonLink } from "../../components/Button";
import { UsageByDay } from "../../components/UsageByDay";
import { Figure } from "../../components/Figure";
import { Loader } from "../../components/Loader";
import { Notice } from "../../components/Notice";
import { Page } from "../../components/Page";
import { href } from "../../state/route";
import { useTexts } from "../../texts";
import { Checklist } from "./overview/Checklist";
import { Deployment } from "./overview/Deployment";
import { Today } from "./overview/Today";

export function Overview() {
  const t = useTexts();
  const a = useTexts().admin;
  const state = useAdmin<State>("/admin/overview");
  const usage = useAdmin<Usage>("/admin/usage");
  const addresses = useAdmin<Rows<AddressRow>>("/admin/address", { limit: 1 });
  const pauses = useAdmin<{ results: PauseRow[] }>("/admin/pauses");
  const requests = useAdmin<Rows<BalanceRow>>("/admin/address_sender", {
    requested: "true",
    limit: 1,
  });
  const webhooks = useAdmin<Part<DisabledWebhook>>("/admin/webhooks/disabled", { limit: 100 });
  const hasFailed = webhooks.data?.results.some(
    ({ disabled_reason: reason }) => reason !== "owner",
  );
  const waiting = requests.data?.count ?? 0;
  const paused = pauses.data?.results.length ?? 0;
  const checks = state.data?.checks;
  const isSetUp = checks?.every(({ state }) => state === "ok") ?? true;
  return (
    <Page title={t.nav.admin} intro={a.overview.intro}>
      {waiting > 0 && (
        <Attention text={a.overview.attention(waiting)} place="/admin/balances" />
      )}
      {paused > 0 && <Attention text={a.overview.paused(paused)} place="/admin/pauses" />}
      {hasFailed && <Attention text={a.overview.webhooks} place="/admin/webhooks" />}
      {checks && !isSetUp && <Checklist checks={checks} />}
      <Today days={usage.data?.days} />
      <dl class="numbers">
        <Figure name={a.sections.addresses} value={addresses.data?.count} text={a.overview.inAll} />
        <Figure name={t.usage.daily} value={usage.data?.daily_left} text={t.usage.limitText} />
        <Figure
          name={t.usage.monthly}
          value={usage.data?.monthly_left}
          text={t.usage.limitText}
        />
      </dl>
      <Loader from={usage}>
        {({ days }) => <UsageByDay days={days} empty={a.overview.emptyText} />}
      </Loader>
      {checks && isSetUp && <Checklist checks={checks} />}
      <Loader from={state}>{(data) => <Deployment overview={data} />}</Loader>
    </Page>
  );
}

function Attention({ text, place }: { text: string; place: string }) {
  const a = useTexts().admin;
  return (
    <Notice kind="warning">
      <div class="attention">
        <p>{text}</p>
        <ButtonLink small href={href(place)}>
          {a.overview.look}
        </ButtonLink>
      </div>
    </Notice>
  );
}
