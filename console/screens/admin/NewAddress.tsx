/** Creates an address as the administrator, with fewer rules than for users. */

import { useState } from "preact/hooks";
import { callOnce } from "../../api/client";
import type { CreatedAddress } from "../../api/types";
import { Button } from "../../components/Button";
import { Confirm, Dialog } from "../../components/Dialog";
import { CheckField, SelectField, TextField } from "../../components/Field";
import { fieldErrors, useForm } from "../../components/form";
import { FormDialog } from "../../components/FormDialog";
import { ShownOnce } from "../../components/ShownOnce";
import { site } from "../../state/site";
import { useStore } from "../../state/store";
import { useTexts } from "../../texts";
import { Secret } from "./Secret";

export function NewAddress({ onClose, onCreated }: { onClose: () => void; onCreated: () => void }) {
  const [created, setCreated] = useState<CreatedAddress>();
  const take = (made: CreatedAddress) => {
    setCreated(made);
    onCreated();
  };
  return created ? (
    <Created key="created" created={created} onClose={onClose} />
  ) : (
    <Create key="create" onClose={onClose} onCreated={take} />
  );
}

function Create({
  onClose,
  onCreated,
}: {
  onClose: () => void;
  onCreated: (made: CreatedAddress) => void;
}) {
  const a = useTexts().admin;
  const t = a.addresses;
  const { common, start } = useTexts();
  const { domains, prefix } = useStore(site)!;
  const [withPrefix, setWithPrefix] = useState(false);
  const form = useForm({ name: "", domain: "" }, async ({ name, domain }) => {
    if (!name.trim()) throw fieldErrors({ name: common.required });
    const body = { name, domain: domain || undefined, enablePrefix: withPrefix };
    onCreated(
      await callOnce<CreatedAddress>("POST", "/admin/new_address", t.maybeCreated, {
        as: "admin",
        body,
      }),
    );
  });
  return (
    <FormDialog title={t.create} submit={t.create} form={form} onClose={onClose}>
      <TextField
        label={start.name}
        hint={t.nameHint}
        autocomplete="off"
        autocapitalize="none"
        spellcheck={false}
        required
        {...form.field("name")}
      />
      <SelectField
        label={start.domain}
        options={[["", t.anyDomain], ...domains.map((one) => [one, `@${one}`] as const)]}
        {...form.field("domain")}
      />
      {prefix && (
        <CheckField label={t.prefix(prefix)} checked={withPrefix} onChecked={setWithPrefix} />
      )}
    </FormDialog>
  );
}

/**
 * The new address and its secrets. The password is shown only here, so everything but the button
 * "Done" asks before it closes the dialog.
 */
function Created({ created, onClose }: { created: CreatedAddress; onClose: () => void }) {
  const { admin, start } = useTexts();
  const t = admin.addresses;
  const [isShown, setIsShown] = useState(false);
  const [isAsking, setIsAsking] = useState(false);
  const question = { title: t.storedTitle, yes: start.stored, children: <p>{t.storedText}</p> };
  if (isAsking) {
    return (
      <Confirm
        {...question}
        kind="primary"
        action={async () => onClose()}
        onClose={() => setIsAsking(false)}
      />
    );
  }
  return (
    <Dialog
      title={t.createdTitle}
      onClose={created.password ? () => setIsAsking(true) : onClose}
    >
      <div class="stack">
        <p>
          <bdi class="big-address">{created.address}</bdi>
        </p>
        <p class="muted">{t.createdText}</p>
        {created.password && (
          <div>
            <Secret label={start.password} text={created.password} />
            <p class="hint">{t.passwordHint}</p>
          </div>
        )}
        {isShown ? (
          <Secret label={start.credential} text={created.jwt} />
        ) : (
          <p>
            <Button small icon="eye" onClick={() => setIsShown(true)}>
              {t.showCredential}
            </Button>
          </p>
        )}
      </div>
      <footer>
        <Button kind="primary" onClick={onClose}>
          {t.done}
        </Button>
      </footer>
      {created.password && <ShownOnce {...question} />}
    </Dialog>
  );
}
