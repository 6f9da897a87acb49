/** Balances, with the requests for one in front. */

import { useState } from "preact/hooks";
import { callAsAdmin, useAdmin, type BalanceRow, type Rows, type Shown } from "../../api/admin";
import { Button } from "../../components/Button";
import { Confirm } from "../../components/Dialog";
import { Empty } from "../../components/Empty";
import { Card, Page } from "../../components/Page";
import { Table } from "../../components/Table";
import { Time } from "../../components/Time";
import { toast } from "../../state/toasts";
import { useTexts } from "../../texts";
import { number } from "../../texts/formats";
import { BalanceDialog, isRequest } from "./BalanceDialog";
import { Listing, pageQuery, Search, useListPlace } from "./parts";

/** The word of the place that has the page of the requests. */
const WAITING = "waiting";

interface Asked {
  what: "set" | "remove";
  row?: BalanceRow;
}

export function Balances() {
  const a = useTexts().admin;
  const t = a.balances;
  const { page, words } = useListPlace();
  const address = words["address"] ?? "";
  const [asked, setAsked] = useState<Asked>();
  const waiting = useListPlace(WAITING).page;
  const requests = useAdmin<Rows<BalanceRow>>("/admin/address_sender", {
    ...pageQuery(waiting),
    requested: "true",
  });
  const shown = useAdmin<Rows<BalanceRow>>("/admin/address_sender", {
    ...pageQuery(page),
    address,
  });
  const reload = async () => {
    await Promise.all([shown.reload(), requests.reload()]);
  };
  const close = () => setAsked(undefined);
  const removed = asked?.what === "remove" ? asked.row : undefined;
  return (
    <Page
      title={a.sections.balances}
      intro={t.intro}
      aside={
        <Button kind="primary" icon="coins" onClick={() => setAsked({ what: "set" })}>
          {t.set}
        </Button>
      }
    >
      <Waiting requests={requests} page={waiting} onAsked={setAsked} />
      <Search name="address" hint={a.common.wholeAddress} whole />
      <Listing
        shown={shown}
        page={page}
        isSearch={address !== ""}
        empty={
          <Empty icon="coins" title={t.emptyTitle}>
            <p>{t.emptyText}</p>
          </Empty>
        }
      >
        {(rows) => (
          <Table
            caption={t.list}
            rows={rows}
            id={(row) => row.id}
            columns={[
              { title: a.common.address, cell: (row) => <bdi class="strong">{row.address}</bdi> },
              { title: t.state, cell: (row) => <State row={row} /> },
              { title: a.common.since, cell: (row) => <Time at={row.created_at} /> },
              { title: t.balance, kind: "number", cell: (row) => number(row.balance) },
              {
                title: a.common.actions,
                kind: "actions",
                cell: (row) => (
                  <div class="row">
                    <Button
                      small
                      aria-label={t.changeOne(row.address)}
                      onClick={() => setAsked({ what: "set", row })}
                    >
                      {t.change}
                    </Button>
                    <Button
                      small
                      kind="quiet"
                      aria-label={t.removeOne(row.address)}
                      onClick={() => setAsked({ what: "remove", row })}
                    >
                      {a.common.remove}
                    </Button>
                  </div>
                ),
              },
            ]}
          />
        )}
      </Listing>
      {asked?.what === "set" && (
        <BalanceDialog row={asked.row} address={address} onClose={close} onChanged={reload} />
      )}
      {removed && (
        <Confirm
          title={t.removeTitle}
          yes={a.common.remove}
          onClose={close}
          action={async () => {
            await callAsAdmin("DELETE", `/admin/address_sender/${removed.id}`);
            toast(t.removed);
            await reload();
          }}
        >
          <p>{t.removeText(removed.address)}</p>
        </Confirm>
      )}
    </Page>
  );
}

function Waiting({
  requests,
  page,
  onAsked,
}: {
  requests: Shown<Rows<BalanceRow>>;
  page: number;
  onAsked: (asked: Asked) => void;
}) {
  const t = useTexts().admin.balances;
  const count = requests.data?.count ?? 0;
  return (
    <Card
      title={t.requestsTitle}
      aside={count > 0 && <span class="badge waiting">{number(count)}</span>}
    >
      <Listing
        shown={requests}
        page={page}
        name={WAITING}
        isSearch={false}
        empty={<p class="muted">{t.requestsNone}</p>}
      >
        {(rows) => (
          <ul class="requests">
            {rows.map((row) => (
              <li key={row.id}>
                <div>
                  <bdi class="strong">{row.address}</bdi>
                  <p class="hint">
                    {t.asked} <Time at={row.created_at} />
                  </p>
                </div>
                <div class="row">
                  <Button
                    small
                    kind="primary"
                    aria-label={t.grantOne(row.address)}
                    onClick={() => onAsked({ what: "set", row })}
                  >
                    {t.grant}
                  </Button>
                  <Button
                    small
                    kind="quiet"
                    aria-label={t.declineOne(row.address)}
                    onClick={() => onAsked({ what: "remove", row })}
                  >
                    {t.decline}
                  </Button>
                </div>
              </li>
            ))}
          </ul>
        )}
      </Listing>
    </Card>
  );
}

function State({ row }: { row: BalanceRow }) {
  const t = useTexts().admin.balances;
  if (isRequest(row)) return <span class="badge waiting">{t.requested}</span>;
  return row.enabled ? (
    <span class="badge good">{t.enabled}</span>
  ) : (
    <span class="badge">{t.disabled}</span>
  );
}
