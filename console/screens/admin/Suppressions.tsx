/** Recipients that get no mail. */

import { useState } from "preact/hooks";
import { callAsAdmin, type SuppressionRow } from "../../api/admin";
import { Button } from "../../components/Button";
import { Confirm } from "../../components/Dialog";
import { TextField } from "../../components/Field";
import { fieldErrors, useForm } from "../../components/form";
import { FormDialog } from "../../components/FormDialog";
import { Time } from "../../components/Time";
import { toast } from "../../state/toasts";
import { useTexts } from "../../texts";
import { AdminList, usePagedList } from "./AdminList";

export function Suppressions() {
  const a = useTexts().admin;
  const t = a.suppressions;
  const [isAdding, setIsAdding] = useState(false);
  const [removed, setRemoved] = useState<string>();
  const list = usePagedList<SuppressionRow>("/admin/suppressions", { search: "address" });
  const reasons: Record<string, string> = { provider: t.provider, manual: t.manual };
  return (
    <AdminList
      section="suppressions"
      list={list}
      icon="check"
      aside={
        <Button kind="primary" onClick={() => setIsAdding(true)}>
          {t.add}
        </Button>
      }
      id={(row) => row.address}
      columns={[
        { title: a.common.address, cell: (row) => <bdi class="strong">{row.address}</bdi> },
        { title: t.reason, cell: (row) => <bdi>{reasons[row.reason] ?? row.reason}</bdi> },
        { title: a.common.since, cell: (row) => <Time at={row.since} /> },
      ]}
      actions={({ address }) => (
        <Button small aria-label={t.removeOne(address)} onClick={() => setRemoved(address)}>
          {a.common.remove}
        </Button>
      )}
    >
      {isAdding && <Add onClose={() => setIsAdding(false)} onChanged={list.reload} />}
      {removed && (
        <Confirm
          title={t.removeTitle}
          yes={a.common.remove}
          onClose={() => setRemoved(undefined)}
          action={async () => {
            await callAsAdmin("DELETE", "/admin/suppressions", { query: { address: removed } });
            toast(t.removed);
            await list.reload();
          }}
        >
          <p>{t.removeText(removed)}</p>
        </Confirm>
      )}
    </AdminList>
  );
}

function Add({ onClose, onChanged }: { onClose: () => void; onChanged: () => Promise<void> }) {
  const { admin: a, common } = useTexts();
  const t = a.suppressions;
  const form = useForm({ address: "", reason: "" }, async (body) => {
    if (!body.address.trim()) throw fieldErrors({ address: common.required });
    await callAsAdmin("POST", "/admin/suppressions", { body });
    toast(t.added);
    await onChanged();
    onClose();
  });
  return (
    <FormDialog title={t.add} submit={t.add} form={form} onClose={onClose}>
      <TextField
        label={a.common.address}
        type="email"
        autocomplete="off"
        required
        {...form.field("address")}
      />
      <TextField
        label={t.reason}
        hint={t.reasonHint}
        autocomplete="off"
        maxLength={200}
        {...form.field("reason")}
      />
    </FormDialog>
  );
}
