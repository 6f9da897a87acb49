/** Setting the balance of an address. */

import { useState } from "preact/hooks";
import { callAsAdmin, type BalanceRow } from "../../api/admin";
import { Button } from "../../components/Button";
import { Dialog } from "../../components/Dialog";
import { CheckField, TextField } from "../../components/Field";
import { useForm, wholeNumber, wrong } from "../../components/form";
import { ProblemNotice } from "../../components/Notice";
import { toast } from "../../state/toasts";
import { useTexts } from "../../texts";

const FIRST_BALANCE = "100";

/** Whether it was made by an address that asked for access. */
export function isRequest({ enabled, balance }: BalanceRow): boolean {
  return !enabled && !balance;
}

export function BalanceDialog({
  row,
  address: given = "",
  onClose,
  onChanged,
}: {
  /** The balance that is changed; without one the address is asked for. */
  row?: BalanceRow;
  address?: string;
  onClose: () => void;
  onChanged: () => Promise<void>;
}) {
  const a = useTexts().admin;
  const t = a.balances;
  const common = useTexts().common;
  const isFirst = !row || isRequest(row);
  const [address, setAddress] = useState(row?.address ?? given);
  const [balance, setBalance] = useState(isFirst ? FIRST_BALANCE : String(row.balance));
  const [enabled, setEnabled] = useState(isFirst || row.enabled === 1);
  const form = useForm(["address", "balance", "enabled"], async () => {
    const amount = wholeNumber(balance);
    if (!row && !address.trim()) throw wrong({ address: common.required });
    if (amount === undefined) throw wrong({ balance: a.common.wholeNumber });
    const body = { address, address_id: row?.id ?? 0, balance: amount, enabled };
    await callAsAdmin("POST", "/admin/address_sender", { body });
    toast(t.saved);
    await onChanged();
    onClose();
  });
  const title = !row ? t.set : isFirst ? t.grantTitle : t.changeTitle;
  return (
    <Dialog title={title} onClose={onClose}>
      <form {...form.attributes}>
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
            value={address}
            onValue={setAddress}
            error={form.errorAt("address")}
          />
        )}
        <TextField
          label={t.balance}
          hint={t.balanceHint}
          type="number"
          min="0"
          required
          value={balance}
          onValue={setBalance}
          error={form.errorAt("balance")}
        />
        <CheckField
          label={t.enabled}
          hint={t.enabledHint}
          checked={enabled}
          onChecked={setEnabled}
        />
        {form.problem && <ProblemNotice problem={form.problem} />}
        <footer class="dialog-end">
          <Button onClick={onClose}>{common.cancel}</Button>
          <Button type="submit" kind="primary" busy={form.busy}>
            {row && isFirst ? t.grant : common.save}
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}
