/** Sets the balance of an address. */

import { useState } from "preact/hooks";
import { callAsAdmin, type BalanceRow } from "../../api/admin";
import { CheckField, TextField } from "../../components/Field";
import { fieldErrors, useForm, wholeNumber } from "../../components/form";
import { FormDialog } from "../../components/FormDialog";
import { toast } from "../../state/toasts";
import { useTexts } from "../../texts";

const FIRST_BALANCE = "100";

/** Whether the row is a request for access. */
export function isRequest({ requested_at }: BalanceRow): boolean {
  return requested_at !== null;
}

export function BalanceDialog({
  row,
  address: given = "",
  onClose,
  onChanged,
}: {
  /** The balance to change; without it, the dialog asks for the address. */
  row?: BalanceRow;
  address?: string;
  onClose: () => void;
  onChanged: () => Promise<void>;
}) {
  const { admin: a, common, usage } = useTexts();
  const t = a.balances;
  const isFirst = !row || isRequest(row);
  const initial = {
    address: row?.address ?? given,
    balance: isFirst ? FIRST_BALANCE : String(row.balance),
  };
  const [enabled, setEnabled] = useState(isFirst || row.enabled === 1);
  const form = useForm(initial, async ({ address, balance }) => {
    const amount = wholeNumber(balance);
    if (!row && !address.trim()) throw fieldErrors({ address: common.required });
    if (amount === undefined) throw fieldErrors({ balance: a.common.wholeNumber });
    const body = { address, address_id: row?.id ?? 0, balance: amount, enabled };
    await callAsAdmin("POST", "/admin/address_sender", { body });
    toast(t.saved);
    await onChanged();
    onClose();
  }, ["enabled"]);
  const title = !row ? t.set : isFirst ? t.grantTitle : t.changeTitle;
  const submit = row && isFirst ? t.grant : common.save;
  return (
    <FormDialog title={title} submit={submit} form={form} onClose={onClose}>
      {row ? (
        <p>
          <bdi class="strong">{row.address}</bdi>
        </p>
      ) : (
        <TextField
          label={a.common.address}
          type="email"
          autocomplete="off"
          required
          {...form.field("address")}
        />
      )}
      <TextField
        label={usage.balance}
        hint={t.balanceHint}
        type="number"
        min="0"
        required
        {...form.field("balance")}
      />
      <CheckField
        label={t.enabled}
        hint={t.enabledHint}
        checked={enabled}
        onChecked={setEnabled}
      />
    </FormDialog>
  );
}
