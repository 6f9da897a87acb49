/** Asks for a password. */

import { useState } from "preact/hooks";
import { call, digest, Problem } from "../api/client";
import { isKept } from "../state/session";
import { useTexts } from "../texts";
import { describe } from "../texts/problems";
import { Button } from "./Button";
import { CheckField, TextField } from "./Field";
import { fieldErrors, useForm } from "./form";
import { Card, Page } from "./Page";

export function PasswordGate({
  title,
  text,
  label,
  wrong,
  enter,
  path,
  onEntered,
}: {
  title: string;
  text: string;
  /** The name of the password. */
  label: string;
  /** The error for a wrong password. */
  wrong: string;
  /** The label of the button. */
  enter: string;
  /** The API endpoint that checks the password. */
  path: string;
  onEntered: (password: string, keep: boolean) => void;
}) {
  const t = useTexts();
  const [keep, setKeep] = useState(isKept());
  const form = useForm({ password: "" }, async ({ password }) => {
    if (!password) throw fieldErrors({ password: t.common.required });
    const body = { password: await digest(password) };
    await call("POST", path, { as: "anybody", body }).catch((error: unknown) => {
      const isRefused = error instanceof Problem && error.status === 401;
      throw isRefused ? fieldErrors({ password: wrong }) : error;
    });
    onEntered(password, keep);
  });
  return (
    <Page title={title} intro={text} narrow>
      <Card>
        <form {...form.attributes}>
          <TextField
            label={label}
            type="password"
            autocomplete="current-password"
            required
            {...form.field("password")}
            error={form.errorAt("password") ?? (form.problem && describe(form.problem))}
          />
          <CheckField
            label={t.start.keep}
            hint={t.start.keepHint}
            checked={keep}
            onChecked={setKeep}
          />
          <Button type="submit" kind="primary" busy={form.busy}>
            {enter}
          </Button>
        </form>
      </Card>
    </Page>
  );
}
