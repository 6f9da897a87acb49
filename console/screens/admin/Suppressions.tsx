/** Recipients that get no mail. */

import { useState } from "preact/hooks";
import { callAsAdmin, SUPPRESSION_REASONS, type SuppressionRow } from "../../api/admin";
import { Button } from "../../components/Button";
import { Confirm } from "../../components/Dialog";
import { SelectField, TextField, TimeField } from "../../components/Field";
import { fieldErrors, useForm } from "../../components/form";
import { FormDialog } from "../../components/FormDialog";
import { Time } from "../../components/Time";
import { toast } from "../../state/toasts";
import { useTexts } from "../../texts";
import type { AdminTexts } from "../../texts/admin.en";
import { apiTime } from "../../texts/formats";
import { AdminList, useLongList } from "./AdminList";
import { ExportButton, ImportButton } from "./SuppressionFiles";

export function Suppressions() {
  const a = useTexts().admin;
  const t = a.suppressions;
  const [isAdding, setIsAdding] = useState(false);
  const [removed, setRemoved] = useState<SuppressionRow>();
  const list = useLongList<SuppressionRow>("/admin/suppressions", { search: "address" });
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
      tools={
        <div class="row">
          <ImportButton onChanged={list.reload} />
          <ExportButton />
        </div>
      }
      id={(row) => `${row.address} ${row.scope}`}
      columns={[
        { title: a.common.address, cell: (row) => <bdi class="strong">{row.address}</bdi> },
        { title: t.scope, cell: (row) => <bdi>{row.scope || t.everyScope}</bdi> },
        { title: t.reason, cell: (row) => <Reason row={row} /> },
        { title: a.common.since, cell: (row) => <Time at={row.since} /> },
        {
          title: t.until,
          cell: (row) => (row.expires_at ? <Time at={row.expires_at} /> : t.noEnd),
        },
      ]}
      actions={(row) => (
        <Button small aria-label={t.removeOne(row.address)} onClick={() => setRemoved(row)}>
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
            const { address, scope } = removed;
            await callAsAdmin("DELETE", "/admin/suppressions", { query: { address, scope } });
            toast(t.removed);
            await list.reload();
          }}
        >
          <p>{t.removeText(removed.address)}</p>
        </Confirm>
      )}
    </AdminList>
  );
}

function Reason({ row }: { row: SuppressionRow }) {
  const t = useTexts().admin.suppressions;
  return (
    <div>
      {t.reasons[row.reason]}
      {row.origin && (
        <p class="hint">
          <bdi>{origin(row.origin, t)}</bdi>
        </p>
      )}
    </div>
  );
}

function origin(text: string, t: AdminTexts["suppressions"]): string {
  if (text === "import") return t.fromImport;
  if (/^admin(#\d+)?$/.test(text)) return t.fromAdmin(text);
  return /^[0-9a-f-]{36}$/.test(text) ? t.fromMessage(text) : text;
}

function Add({ onClose, onChanged }: { onClose: () => void; onChanged: () => Promise<void> }) {
  const { admin: a, common } = useTexts();
  const t = a.suppressions;
  const initial = { address: "", scope: "", reason: "manual", expires_at: "" };
  const form = useForm(initial, async (values) => {
    if (!values.address.trim()) throw fieldErrors({ address: common.required });
    const body = { ...values, expires_at: apiTime(values.expires_at) };
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
        label={t.scope}
        hint={t.scopeHint}
        autocomplete="off"
        maxLength={253}
        {...form.field("scope")}
      />
      <SelectField
        label={t.reason}
        options={SUPPRESSION_REASONS.map((reason) => [reason, t.reasons[reason]] as const)}
        {...form.field("reason")}
      />
      <TimeField label={t.until} hint={t.untilHint} {...form.field("expires_at")} />
    </FormDialog>
  );
}
