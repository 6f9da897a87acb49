/** The details of one address, and the actions on it. */

import { useState } from "preact/hooks";
import { callAsAdmin, type AddressRow } from "../../api/admin";
import { digest } from "../../api/client";
import { useAction } from "../../components/action";
import { Button, ButtonLink } from "../../components/Button";
import { Confirm, Dialog } from "../../components/Dialog";
import { Facts } from "../../components/Facts";
import { TextField } from "../../components/Field";
import { fieldErrors, SHORTEST_PASSWORD, useForm } from "../../components/form";
import { ProblemNotice } from "../../components/Notice";
import { Time } from "../../components/Time";
import { href } from "../../state/route";
import { site } from "../../state/site";
import { useStore } from "../../state/store";
import { toast } from "../../state/toasts";
import { useTexts } from "../../texts";
import { number } from "../../texts/formats";
import { Secret } from "./Secret";

interface Props {
  row: AddressRow;
  onClose: () => void;
  /** Called after a change that the list must show. */
  onChanged: () => Promise<void>;
}

export function AddressDialog({ row, onClose, onChanged }: Props) {
  const a = useTexts().admin;
  const t = a.addresses;
  const hasPasswords = useStore(site)?.enableAddressPassword;
  return (
    <Dialog title={row.name} onClose={onClose} wide>
      <div class="stack">
        <Facts
          facts={[
            [t.number, row.id],
            [t.created, <Time at={row.created_at} />],
            [t.changed, <Time at={row.updated_at} />],
            [t.from, <bdi>{row.source_meta ?? "–"}</bdi>],
            [t.sent, number(row.send_count)],
          ]}
        />
        <div class="row">
          <ButtonLink small icon="sent" href={href("/admin/sent", { address: row.name })}>
            {a.sections.sent}
          </ButtonLink>
          <ButtonLink small icon="coins" href={href("/admin/balances", { address: row.name })}>
            {a.sections.balances}
          </ButtonLink>
        </div>
        <Credential id={row.id} />
        {hasPasswords && <Password row={row} />}
        <Limits id={row.id} />
        <Removal row={row} onClose={onClose} onChanged={onChanged} />
      </div>
    </Dialog>
  );
}

function Credential({ id }: { id: number }) {
  const { admin, start } = useTexts();
  const t = admin.addresses;
  const [jwt, setJwt] = useState<string>();
  const { busy, problem, run } = useAction();
  const show = () =>
    run(async () => {
      setJwt((await callAsAdmin<{ jwt: string }>("GET", `/admin/show_password/${id}`)).jwt);
    });
  return (
    <section class="dialog-part" aria-live="polite">
      {jwt ? (
        <Secret label={start.credential} text={jwt} />
      ) : (
        <div>
          <h3>{start.credential}</h3>
          <p class="muted">{t.credentialHidden}</p>
        </div>
      )}
      {problem && <ProblemNotice problem={problem} />}
      <Button
        small
        icon="eye"
        busy={busy}
        onClick={() => (jwt ? setJwt(undefined) : void show())}
      >
        {jwt ? t.hideCredential : t.showCredential}
      </Button>
    </section>
  );
}

function Password({ row }: { row: AddressRow }) {
  const { newPassword, tooShort } = useTexts().password;
  const t = useTexts().admin.addresses;
  const form = useForm({ password: "" }, async ({ password }) => {
    if (password.length < SHORTEST_PASSWORD) throw fieldErrors({ password: tooShort });
    const body = { password: await digest(password) };
    await callAsAdmin("POST", `/admin/address/${row.id}/reset_password`, { body });
    form.reset();
    toast(t.resetDone);
  });
  return (
    <section class="dialog-part">
      <div>
        <h3>{t.resetTitle}</h3>
        <p class="muted">{t.resetText}</p>
      </div>
      <form {...form.attributes}>
        <TextField
          label={newPassword}
          hint={tooShort}
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          {...form.field("password")}
        />
        {form.problem && <ProblemNotice problem={form.problem} />}
        <Button small type="submit" busy={form.busy}>
          {t.reset}
        </Button>
      </form>
    </section>
  );
}

function Limits({ id }: { id: number }) {
  const t = useTexts().admin.addresses;
  const { busy, problem, run } = useAction();
  const restore = () =>
    run(async () => {
      await callAsAdmin("DELETE", `/admin/pauses/${id}`);
      toast(t.limitsRestored);
    });
  return (
    <section class="dialog-part">
      <div>
        <h3>{t.limitsTitle}</h3>
        <p class="muted">{t.limitsText}</p>
      </div>
      {problem && <ProblemNotice problem={problem} />}
      <Button small busy={busy} onClick={() => void restore()}>
        {t.restoreLimits}
      </Button>
    </section>
  );
}

function Removal({ row, onClose, onChanged }: Props) {
  const t = useTexts().admin.addresses;
  const [asked, setAsked] = useState<"clear" | "delete">();
  const actions = {
    clear: { title: t.clearTitle, text: t.clearText, path: "clear_sent_items", done: t.cleared },
    delete: { title: t.deleteTitle, text: t.deleteText, path: "delete_address", done: t.deleted },
  };
  const action = asked && actions[asked];
  return (
    <section class="dialog-part">
      <h3>{t.dangerTitle}</h3>
      <div class="row">
        <Button small icon="trash" onClick={() => setAsked("clear")}>
          {t.clear}
        </Button>
        <Button small kind="danger" icon="trash" onClick={() => setAsked("delete")}>
          {t.delete}
        </Button>
      </div>
      {asked && action && (
        <Confirm
          title={action.title}
          yes={t[asked]}
          action={async () => {
            await callAsAdmin("DELETE", `/admin/${action.path}/${row.id}`);
            toast(action.done);
            await onChanged();
            onClose();
          }}
          onClose={() => setAsked(undefined)}
        >
          <p>{action.text(row.name)}</p>
        </Confirm>
      )}
    </section>
  );
}
