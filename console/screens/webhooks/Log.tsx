/** The deliveries of a webhook, with filters, and a dialog with the attempts of each. */

import { useState } from "preact/hooks";
import { usePolling } from "../../api/poll";
import {
  callerOf,
  callWebhooks,
  DELIVERY_STATUSES,
  EVENTS,
  type Base,
  type Webhook,
  type WebhookDelivery,
  type WebhookDeliveryStatus,
} from "../../api/webhooks";
import { useAction } from "../../components/action";
import { Button } from "../../components/Button";
import { Code, CopyButton } from "../../components/Copy";
import { Dialog } from "../../components/Dialog";
import { Empty } from "../../components/Empty";
import { Facts } from "../../components/Facts";
import { SelectField } from "../../components/Field";
import { ProblemNotice } from "../../components/Notice";
import { Card } from "../../components/Page";
import { Table } from "../../components/Table";
import { Time } from "../../components/Time";
import { replace } from "../../state/route";
import { toast } from "../../state/toasts";
import { useTexts } from "../../texts";
import { time } from "../../texts/formats";
import { useWebhookTexts } from "../../texts/webhooks";
import { Listing, useListRoute, useLongList } from "../admin/AdminList";
import { responseLine } from "./parts";

const KINDS: Record<WebhookDeliveryStatus, string> = {
  pending: "waiting",
  attempting: "waiting",
  success: "good",
  failed: "bad",
};

/** The API returns the last attempts of each delivery. */
const MOST_ATTEMPTS = 20;

export function Log({ base, webhook }: { base: Base; webhook: Webhook }) {
  const { common } = useTexts().admin;
  const t = useWebhookTexts();
  const [chosen, setChosen] = useState<WebhookDelivery>();
  const { path, parameters } = useListRoute();
  const status = DELIVERY_STATUSES.find((one) => one === parameters["status"]) ?? "";
  const type = EVENTS.find((one) => one === parameters["event"]) ?? "";
  const list = useLongList<WebhookDelivery>(`${base}/${webhook.id}/deliveries`, {
    as: callerOf(base),
    query: { status, type },
  });
  const rows = list.data?.results ?? [];
  const isWaiting = rows.some((row) => KINDS[row.status] === "waiting");
  const state = JSON.stringify(rows.map((row) => [row.id, row.status, row.attempts.length]));
  // Polling loads the beginning again, so it would remove the rows that a button has added.
  usePolling(list.reload, state, { isOn: isWaiting && !list.hasMore, problem: list.problem });
  const last = ({ attempts: [attempt] }: WebhookDelivery) =>
    attempt ? responseLine(attempt, t) : t.notYet;
  const empty = (
    <Empty icon="list" title={t.logEmptyTitle}>
      <p>{t.logEmptyText}</p>
    </Empty>
  );
  return (
    <Card
      title={t.log}
      aside={
        <Button small icon="refresh" onClick={() => void list.reload()}>
          {common.refresh}
        </Button>
      }
    >
      <p class="hint">{t.logText}</p>
      <div class="pair">
        <SelectField
          label={t.delivery}
          value={status}
          options={[
            ["", t.allStatuses],
            ...DELIVERY_STATUSES.map((one) => [one, t.deliveries[one]] as const),
          ]}
          onValue={(status) => replace(path, { ...parameters, status })}
        />
        <SelectField
          label={t.event}
          value={type}
          options={[["", t.allEvents], ...EVENTS.map((one) => [one, one] as const)]}
          onValue={(event) => replace(path, { ...parameters, event })}
        />
      </div>
      <Listing list={{ ...list, isFiltered: Boolean(status || type) }} empty={empty}>
        {(rows) =>
          rows.length ? (
            <Table
              caption={t.logList}
              rows={rows}
              id={(row) => row.id}
              columns={[
                { title: t.event, cell: (row) => <code class="strong">{row.type}</code> },
                { title: t.at, cell: (row) => <Time at={row.created_at} /> },
                { title: t.delivery, cell: (row) => <Status of={row} /> },
                { title: t.lastResponse, cell: (row) => <bdi class="clip">{last(row)}</bdi> },
                {
                  title: common.actions,
                  kind: "actions",
                  cell: (row) => (
                    <Button
                      small
                      aria-label={t.detailsOf(row.type, time(row.created_at))}
                      onClick={() => setChosen(row)}
                    >
                      {t.details}
                    </Button>
                  ),
                },
              ]}
            />
          ) : (
            <p class="muted">{t.noneSearched}</p>
          )
        }
      </Listing>
      {chosen && (
        <Details
          base={base}
          webhook={webhook}
          delivery={rows.find(({ id }) => id === chosen.id) ?? chosen}
          onClose={() => setChosen(undefined)}
          onReplayed={list.reload}
        />
      )}
    </Card>
  );
}

function Status({ of: { status } }: { of: WebhookDelivery }) {
  const { deliveries } = useWebhookTexts();
  return <span class={`badge ${KINDS[status]}`}>{deliveries[status]}</span>;
}

function Details({
  base,
  webhook,
  delivery,
  onClose,
  onReplayed,
}: {
  base: Base;
  webhook: Webhook;
  delivery: WebhookDelivery;
  onClose: () => void;
  onReplayed: () => Promise<void>;
}) {
  const { close } = useTexts().common;
  const t = useWebhookTexts();
  const { busy, problem, run } = useAction();
  const isDisabled = webhook.status === "disabled";
  const next = delivery.next_attempt_at;
  const replay = () =>
    run(async () => {
      await callWebhooks(base, "POST", `/${webhook.id}/deliveries/${delivery.id}/replay`);
      toast(t.replayed);
      await onReplayed();
    });
  return (
    <Dialog title={delivery.type} onClose={onClose} wide>
      <div class="stack">
        <Facts
          facts={[
            [t.delivery, <Status of={delivery} />],
            [t.at, <Time at={delivery.created_at} />],
            [t.nextAttempt, next && <Time at={next} />],
            [
              t.id,
              <div class="spread">
                <bdi>{delivery.id}</bdi>
                <CopyButton text={delivery.id} label={t.id} />
              </div>,
            ],
          ]}
        />
        <Attempts delivery={delivery} />
        <p class="hint">{isDisabled ? t.replayDisabled : t.replayText}</p>
        {problem && <ProblemNotice problem={problem} />}
      </div>
      <footer>
        <Button onClick={onClose}>{close}</Button>
        <Button
          kind="primary"
          icon="refresh"
          busy={busy}
          disabled={isDisabled}
          onClick={() => void replay()}
        >
          {t.replay}
        </Button>
      </footer>
    </Dialog>
  );
}

function Attempts({ delivery: { attempts } }: { delivery: WebhookDelivery }) {
  const t = useWebhookTexts();
  return (
    <>
      {attempts.map((attempt) => (
        <section key={attempt.number} class="dialog-part">
          <div class="spread">
            <h3>{t.attempt(String(attempt.number))}</h3>
            <span class="muted">
              <Time at={attempt.sent_at} />
            </span>
          </div>
          <bdi>{responseLine(attempt, t)}</bdi>
          {attempt.response && (
            <Code label={t.responseOf(String(attempt.number))} text={attempt.response} />
          )}
        </section>
      ))}
      {!attempts.length && <p class="muted">{t.noAttempts}</p>}
      {attempts.length === MOST_ATTEMPTS && <p class="hint">{t.lastAttempts}</p>}
    </>
  );
}
