/** A password in front of what it protects. */

import { useState } from "preact/hooks";
import { call, digest, Problem } from "../api/client";
import { isKept } from "../state/session";
import { useTexts } from "../texts";
import { describe } from "../texts/problems";
import { Button } from "./Button";
import { CheckField, TextField } from "./Field";
import { useForm, wrong } from "./form";
import { Card, Page } from "./Page";

export function PasswordGate({
  title,
  text,
  label,
  wrong: refused,
  enter,
  path,
  onEntered,
}: {
  title: string;
  text: string;
  /** What the password is called. */
  label: string;
  /** What is said of another password. */
  wrong: string;
  /** What the button says. */
  enter: string;
  /** Where the API says whether it is the right one. */
  path: string;
  onEntered: (password: string, keep: boolean) => void;
}) {
  const t = useTexts();
  const [password, setPassword] = useState("");
  const [keep, setKeep] = useState(isKept());
  const form = useForm(["password"], async () => {
    if (!password) throw wrong({ password: t.common.required });
    const body = { password: await digest(password) };
    await call("POST", path, { as: "anybody", body }).catch((error: unknown) => {
      const isRefused = error instanceof Problem && error.status === 401;
      throw isRefused ? wrong({ password: refused }) : error;
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
            value={password}
            onValue={setPassword}
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
