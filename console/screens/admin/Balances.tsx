/** Balances, and above them the requests for one. */

import { useState } from "preact/hooks";
import { callAsAdmin, type BalanceRow } from "../../api/admin";
import { Button } from "../../components/Button";
import { Confirm } from "../../components/Dialog";
import { Card } from "../../components/Page";
import { Time } from "../../components/Time";
import { toast } from "../../state/toasts";
import { useTexts } from "../../texts";
import { number } from "../../texts/formats";
import { AdminList, Listing, useListRoute, usePagedList, type List } from "./AdminList";
import { BalanceDialog, isRequest } from "./BalanceDialog";

interface Asked {
  what: "set" | "remove";
  row?: BalanceRow;
}

export function Balances() {
  const { admin: a, usage } = useTexts();
  const t = a.balances;
  const { parameters } = useListRoute();
  const [asked, setAsked] = useState<Asked>();
  const requests = usePagedList<BalanceRow>("/admin/address_sender", {
    query: { requested: "true" },
    name: "waiting",
    title: t.requestsTitle,
  });
  const list = usePagedList<BalanceRow>("/admin/address_sender", { search: "address" });
  const reload = async () => {
    await Promise.all([list.reload(), requests.reload()]);
  };
  const close = () => setAsked(undefined);
  const removed = asked?.what === "remove" ? asked.row : undefined;
  return (
    <AdminList
      section="balances"
      list={list}
      icon="coins"
      aside={
        <Button kind="primary" icon="coins" onClick={() => setAsked({ what: "set" })}>
          {t.set}
        </Button>
      }
      before={<Requests list={requests} onAsked={setAsked} />}
      id={(row) => row.id}
      columns={[
        { title: a.common.address, cell: (row) => <bdi class="strong">{row.address}</bdi> },
        { title: t.state, cell: (row) => <State row={row} /> },
        { title: a.common.since, cell: (row) => <Time at={row.created_at} /> },
        { title: usage.balance, kind: "number", cell: (row) => number(row.balance) },
      ]}
      actions={(row) => (
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
      )}
    >
      {asked?.what === "set" && (
        <BalanceDialog
          row={asked.row}
          address={parameters["address"]}
          onClose={close}
          onChanged={reload}
        />
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
    </AdminList>
  );
}

function Requests({ list, onAsked }: { list: List<BalanceRow>; onAsked: (asked: Asked) => void }) {
  const t = useTexts().admin.balances;
  const count = list.data?.count ?? 0;
  return (
    <Card
      title={t.requestsTitle}
      aside={count > 0 && <span class="badge waiting">{number(count)}</span>}
    >
      <Listing list={list} empty={<p class="muted">{t.requestsNone}</p>}>
        {(rows) => (
          <ul class="requests">
            {rows.map((row) => (
              <li key={row.id} class="spread">
                <div>
                  <bdi class="strong">{row.address}</bdi>
                  <p class="hint">
                    {t.asked} <Time at={row.requested_at ?? row.created_at} />
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
