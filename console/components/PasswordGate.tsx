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
  texts,
  path,
  onEntered,
}: {
  title: string;
  /** The introduction, the label of the field, the error for a wrong password, the button. */
  texts: { text: string; password: string; wrong: string; enter: string };
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
      const isWrong = error instanceof Problem && error.status === 401;
      throw isWrong ? fieldErrors({ password: texts.wrong }) : error;
    });
    onEntered(password, keep);
  });
  return (
    <Page title={title} intro={texts.text} width="narrow">
      <Card>
        <form {...form.attributes}>
          <TextField
            label={texts.password}
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
            {texts.enter}
          </Button>
        </form>
      </Card>
    </Page>
  );
}
