/** All webhooks of an owner. An owner has so few that one page shows them. */

import { useState } from "preact/hooks";
import {
  callerOf,
  EVENTS,
  type Base,
  type DisabledWebhook,
  type ListedWebhook,
} from "../../api/webhooks";
import { useGet } from "../../api/use";
import { Button } from "../../components/Button";
import { Empty } from "../../components/Empty";
import { Loader } from "../../components/Loader";
import { Card, Page } from "../../components/Page";
import { Table, type Column } from "../../components/Table";
import { Time } from "../../components/Time";
import { href } from "../../state/route";
import { useWebhookTexts } from "../../texts/webhooks";
import { Listing, useLongList } from "../admin/AdminList";
import { State } from "./parts";
import { AddWebhook } from "./WebhookForm";

export function WebhookList({ base }: { base: Base }) {
  const t = useWebhookTexts();
  const [isAdding, setIsAdding] = useState(false);
  const list = useGet<{ data: ListedWebhook[] }>(base, {
    as: callerOf(base),
    query: { limit: 100 },
  });
  return (
    <Page
      title={t.title}
      intro={t.intro[base]}
      aside={
        <Button kind="primary" icon="bolt" onClick={() => setIsAdding(true)}>
          {t.add}
        </Button>
      }
    >
      <Loader from={list}>{({ data }) => <Own base={base} webhooks={data} />}</Loader>
      {base === "/admin/webhooks" && <Disabled />}
      {isAdding && <AddWebhook base={base} onClose={() => setIsAdding(false)} />}
    </Page>
  );
}

function Own({ base, webhooks }: { base: Base; webhooks: readonly ListedWebhook[] }) {
  const t = useWebhookTexts();
  if (!webhooks.length) {
    return (
      <Empty icon="bolt" title={t.emptyTitle}>
        <p>{t.emptyText}</p>
      </Empty>
    );
  }
  const columns: Column<ListedWebhook>[] = [
    { title: t.endpoint, cell: (row) => <Endpoint base={base} row={row} /> },
    { title: t.events, cell: (row) => <EventCount of={row} /> },
    { title: t.state, cell: (row) => <State of={row} /> },
    { title: t.created, cell: (row) => <Time at={row.created_at} /> },
  ];
  return <Table caption={t.list} columns={columns} rows={webhooks} id={(row) => row.id} />;
}

function Endpoint({ base, row }: { base: Base; row: ListedWebhook }) {
  return (
    <a class="strong" href={href(`${base}/${row.id}`)}>
      <bdi class="clip">{row.endpoint}</bdi>
    </a>
  );
}

function EventCount({ of: { events } }: { of: ListedWebhook }) {
  const t = useWebhookTexts();
  return <span class="one-line-text">{t.eventCount(events.length, EVENTS.length)}</span>;
}

/** The disabled webhooks of all owners: an owner may not know that a webhook is disabled. */
function Disabled() {
  const t = useWebhookTexts();
  const list = useLongList<DisabledWebhook>("/admin/webhooks/disabled");
  return (
    <Card title={t.disabledList}>
      <p class="muted">{t.disabledListText}</p>
      <Listing list={list} empty={<p>{t.disabledNone}</p>}>
        {(rows) => (
          <Table
            caption={t.disabledList}
            rows={rows}
            id={(row) => row.id}
            columns={[
              {
                title: t.endpoint,
                cell: (row) =>
                  row.address ? (
                    <bdi class="clip strong">{row.endpoint}</bdi>
                  ) : (
                    <Endpoint base="/admin/webhooks" row={row} />
                  ),
              },
              { title: t.owner, cell: (row) => <bdi>{row.address ?? t.administrators}</bdi> },
              { title: t.reason, cell: (row) => t.reasons[row.disabled_reason ?? "owner"] },
            ]}
          />
        )}
      </Listing>
    </Card>
  );
}
