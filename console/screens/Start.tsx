/** The start screen: create an address, or sign in. */

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { call, callOnce, digest } from "../api/client";
import type { CreatedAddress } from "../api/types";
import { Button, ButtonLink } from "../components/Button";
import { CheckField, SelectField, TextField } from "../components/Field";
import { fieldErrors, useForm } from "../components/form";
import { Human } from "../components/Human";
import { Notice, ProblemNotice } from "../components/Notice";
import { Card, Page } from "../components/Page";
import { Tabs } from "../components/Tabs";
import { goBackOr, href, route } from "../state/route";
import { addressOf, isKept, signIn } from "../state/session";
import { site } from "../state/site";
import { useStore } from "../state/store";
import { useTexts } from "../texts";
import { NewCredential } from "./NewCredential";

type Way = "create" | "credential" | "login";

export function Start() {
  const t = useTexts();
  const settings = useStore(site)!;
  const mayCreate =
    settings.enableUserCreateEmail && !settings.disableAnonymousUserCreateEmail;
  // Who comes from another screen already has an address.
  const hasAddress = useStore(route).query.has("to");
  const [way, setWay] = useState<Way>(mayCreate && !hasAddress ? "create" : "credential");
  const [keep, setKeep] = useState(isKept());
  const [created, setCreated] = useState<CreatedAddress>();
  if (created) return <Created created={created} />;
  const ways: [Way, string][] = [
    ["create", t.start.create],
    ["credential", t.start.credential],
  ];
  if (settings.enableAddressPassword) ways.push(["login", t.start.password]);
  const keepField = (
    <CheckField
      label={t.start.keep}
      hint={t.start.keepHint}
      checked={keep}
      onChecked={setKeep}
    />
  );
  return (
    <Page title={t.start.title} intro={t.start.intro} width="narrow">
      <Card>
        <Tabs label={t.start.ways} tabs={ways} chosen={way} onChosen={setWay}>
          {way === "create" &&
            (mayCreate ? (
              <Create keep={keep} keepField={keepField} onCreated={setCreated} />
            ) : (
              <Notice>
                <p>{t.start.closed}</p>
              </Notice>
            ))}
          {way === "credential" && <WithCredential keep={keep} keepField={keepField} />}
          {way === "login" && <WithPassword keep={keep} keepField={keepField} />}
        </Tabs>
      </Card>
    </Page>
  );
}

interface FormProps {
  /** Whether to stay signed in after the tab is closed. */
  keep: boolean;
  /** The checkbox that sets `keep`. */
  keepField: ComponentChildren;
}

function Create({
  keep,
  keepField,
  onCreated,
}: FormProps & { onCreated: (created: CreatedAddress) => void }) {
  const t = useTexts();
  const settings = useStore(site)!;
  const [token, setToken] = useState("");
  const isRandom = settings.disableCustomAddressName;
  const form = useForm({ name: "", domain: "" }, async ({ name, domain }) => {
    const body = { name, domain: domain || undefined, cf_token: token || undefined };
    const created = await callOnce<CreatedAddress>(
      "POST",
      "/api/new_address",
      t.start.maybeCreated,
      { as: "anybody", body },
    );
    onCreated(created);
    signIn({ address: created.address, jwt: created.jwt }, keep);
  });
  const domains = settings.defaultDomains;
  return (
    <form {...form.attributes}>
      <p class="muted">{t.start.createText}</p>
      {isRandom ? (
        <p>{t.start.random}</p>
      ) : (
        <TextField
          label={t.start.name}
          hint={t.start.nameHint}
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          {...form.field("name")}
        />
      )}
      <SelectField
        label={t.start.domain}
        options={[
          ["", domains.length === 1 ? `@${domains[0]}` : t.start.anyDomain],
          ...(domains.length === 1 ? [] : domains.map((one) => [one, `@${one}`] as const)),
        ]}
        {...form.field("domain")}
      />
      <Human key={form.failures} onToken={setToken} />
      {keepField}
      {form.problem && <ProblemNotice problem={form.problem} />}
      <Button type="submit" kind="primary" busy={form.busy}>
        {isRandom || !form.values.name ? t.start.doCreateRandom : t.start.doCreate}
      </Button>
    </form>
  );
}

function WithCredential({ keep, keepField }: FormProps) {
  const t = useTexts();
  const form = useForm({ credential: "" }, async ({ credential }) => {
    const jwt = credential.trim().replace(/^Bearer\s+/i, ""); // as copied from a header
    const address = addressOf(jwt);
    if (!address) throw fieldErrors({ credential: t.start.badCredential });
    await call("POST", "/open_api/credential_login", {
      as: "anybody",
      body: { credential: jwt },
    });
    signIn({ address, jwt }, keep);
    goBackOr("/compose");
  });
  return (
    <form {...form.attributes}>
      <TextField
        label={t.start.credential}
        hint={t.start.credentialHint}
        type="password"
        autocomplete="off"
        required
        {...form.field("credential")}
      />
      {keepField}
      {form.problem && <ProblemNotice problem={form.problem} />}
      <Button type="submit" kind="primary" busy={form.busy}>
        {t.start.signIn}
      </Button>
    </form>
  );
}

function WithPassword({ keep, keepField }: FormProps) {
  const t = useTexts();
  const [token, setToken] = useState("");
  const form = useForm({ email: "", password: "" }, async ({ email, password }) => {
    if (!email.trim()) throw fieldErrors({ email: t.common.required });
    if (!password) throw fieldErrors({ password: t.common.required });
    const { jwt, address } = await call<{ jwt: string; address: string }>(
      "POST",
      "/api/address_login",
      {
        as: "anybody",
        body: { email, password: await digest(password), cf_token: token || undefined },
      },
    );
    signIn({ address, jwt }, keep);
    goBackOr("/compose");
  });
  return (
    <form {...form.attributes}>
      <TextField
        label={t.start.address}
        type="email"
        autocomplete="username"
        required
        {...form.field("email")}
      />
      <TextField
        label={t.start.password}
        type="password"
        autocomplete="current-password"
        required
        {...form.field("password")}
      />
      <Human key={form.failures} onToken={setToken} />
      {keepField}
      {form.problem && <ProblemNotice problem={form.problem} />}
      <Button type="submit" kind="primary" busy={form.busy}>
        {t.start.signIn}
      </Button>
    </form>
  );
}

function Created({ created }: { created: CreatedAddress }) {
  const t = useTexts();
  return (
    <NewCredential
      title={t.start.created}
      issued={created}
      goOn={
        <ButtonLink href={href("/compose")} kind="primary" icon="compose">
          {t.start.goOn}
        </ButtonLink>
      }
    />
  );
}
