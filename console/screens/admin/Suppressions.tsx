/** Recipients that get no mail. */

import { useState } from "preact/hooks";
import { callAsAdmin, useAdmin, type Rows, type SuppressionRow } from "../../api/admin";
import { Button } from "../../components/Button";
import { Confirm, Dialog } from "../../components/Dialog";
import { Empty } from "../../components/Empty";
import { TextField } from "../../components/Field";
import { useForm, wrong } from "../../components/form";
import { ProblemNotice } from "../../components/Notice";
import { Page } from "../../components/Page";
import { Table } from "../../components/Table";
import { Time } from "../../components/Time";
import { toast } from "../../state/toasts";
import { useTexts } from "../../texts";
import { Listing, pageQuery, Search, useListPlace } from "./parts";

export function Suppressions() {
  const a = useTexts().admin;
  const t = a.suppressions;
  const { page, words } = useListPlace();
  const address = words["address"] ?? "";
  const [isAdding, setIsAdding] = useState(false);
  const [removed, setRemoved] = useState<string>();
  const shown = useAdmin<Rows<SuppressionRow>>("/admin/suppressions", {
    ...pageQuery(page),
    address,
  });
  const reasons: Record<string, string> = { provider: t.provider, manual: t.manual };
  return (
    <Page
      title={a.sections.suppressions}
      intro={t.intro}
      aside={
        <Button kind="primary" onClick={() => setIsAdding(true)}>
          {t.add}
        </Button>
      }
    >
      <Search name="address" hint={a.common.wholeAddress} whole />
      <Listing
        shown={shown}
        page={page}
        isSearch={address !== ""}
        empty={
          <Empty icon="check" title={t.emptyTitle}>
            <p>{t.emptyText}</p>
          </Empty>
        }
      >
        {(rows) => (
          <Table
            caption={t.list}
            rows={rows}
            id={(row) => row.address}
            columns={[
              { title: a.common.address, cell: (row) => <bdi class="strong">{row.address}</bdi> },
              { title: t.reason, cell: (row) => <bdi>{reasons[row.reason] ?? row.reason}</bdi> },
              { title: a.common.since, cell: (row) => <Time at={row.since} /> },
              {
                title: a.common.actions,
                kind: "actions",
                cell: (row) => (
                  <Button
                    small
                    aria-label={t.removeOne(row.address)}
                    onClick={() => setRemoved(row.address)}
                  >
                    {a.common.remove}
                  </Button>
                ),
              },
            ]}
          />
        )}
      </Listing>
      {isAdding && <Add onClose={() => setIsAdding(false)} onChanged={shown.reload} />}
      {removed && (
        <Confirm
          title={t.removeTitle}
          yes={a.common.remove}
          onClose={() => setRemoved(undefined)}
          action={async () => {
            await callAsAdmin("DELETE", "/admin/suppressions", { query: { address: removed } });
            toast(t.removed);
            await shown.reload();
          }}
        >
          <p>{t.removeText(removed)}</p>
        </Confirm>
      )}
    </Page>
  );
}

function Add({ onClose, onChanged }: { onClose: () => void; onChanged: () => Promise<void> }) {
  const a = useTexts().admin;
  const t = a.suppressions;
  const common = useTexts().common;
  const [address, setAddress] = useState("");
  const [reason, setReason] = useState("");
  const form = useForm(["address", "reason"], async () => {
    if (!address.trim()) throw wrong({ address: common.required });
    await callAsAdmin("POST", "/admin/suppressions", { body: { address, reason } });
    toast(t.added);
    await onChanged();
    onClose();
  });
  return (
    <Dialog title={t.add} onClose={onClose}>
      <form {...form.attributes}>
        <TextField
          label={a.common.address}
          type="email"
          autocomplete="off"
          required
          value={address}
          onValue={setAddress}
          error={form.errorAt("address")}
        />
        <TextField
          label={t.reason}
          hint={t.reasonHint}
          autocomplete="off"
          maxLength={200}
          value={reason}
          onValue={setReason}
          error={form.errorAt("reason")}
        />
        {form.problem && <ProblemNotice problem={form.problem} />}
        <footer class="dialog-end">
          <Button onClick={onClose}>{common.cancel}</Button>
          <Button type="submit" kind="primary" busy={form.busy}>
            {t.add}
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}
