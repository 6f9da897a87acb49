/** The credential of the address, snippets for programs, and changes by the owner. */

import { useState } from "preact/hooks";
import { call, callOnce, digest, Problem } from "../api/client";
import { Button } from "../components/Button";
import { Code, CopyButton } from "../components/Copy";
import { Confirm } from "../components/Dialog";
import { Facts } from "../components/Facts";
import { TextField } from "../components/Field";
import { fieldErrors, SHORTEST_PASSWORD, useForm } from "../components/form";
import { FormDialog } from "../components/FormDialog";
import { HiddenSecret } from "../components/HiddenSecret";
import { Notice, ProblemNotice } from "../components/Notice";
import { Card, Page } from "../components/Page";
import { Tabs } from "../components/Tabs";
import { requestLeave } from "../state/route";
import { session, signIn } from "../state/session";
import { signOut } from "../state/sign_out";
import { site } from "../state/site";
import { useStore } from "../state/store";
import { toast } from "../state/toasts";
import { useTexts } from "../texts";
import { NewCredential } from "./NewCredential";
import {
  curl,
  valuesFor,
  javascript,
  nodemailer,
  requests,
  resend,
  smtplib,
  UNKNOWN_SMTP,
  type Smtp,
} from "./password/snippets";

export function Password() {
  const t = useTexts();
  const { enableAddressPassword, enableUserDeleteEmail } = useStore(site)!;
  const { address = "" } = useStore(session);
  const [isShown, setIsShown] = useState(false);
  const [replaced, setReplaced] = useState<Replaced>();
  if (replaced) {
    return (
      <NewCredential
        title={t.password.replaced}
        issued={{ ...replaced, password: null }}
        goOn={
          <Button kind="primary" onClick={() => requestLeave(() => setReplaced(undefined))}>
            {t.password.done}
          </Button>
        }
      >
        {replaced.password_ended && (
          <Notice kind="warning">
            <p>{t.password.passwordEnded}</p>
          </Notice>
        )}
      </NewCredential>
    );
  }
  return (
    <Page title={t.nav.password} intro={t.password.intro}>
      <Credential isShown={isShown} onShown={setIsShown} />
      <Snippets isShown={isShown} />
      <Replace onReplaced={(made) => setReplaced({ address, ...made })} />
      {enableAddressPassword && <ChangePassword />}
      {enableUserDeleteEmail && <DeleteAddress />}
    </Page>
  );
}

function Credential({
  isShown,
  onShown,
}: {
  isShown: boolean;
  onShown: (isShown: boolean) => void;
}) {
  const t = useTexts();
  const { jwt = "" } = useStore(session);
  return (
    <HiddenSecret
      title={t.start.credential}
      text={jwt}
      hidden={t.password.hidden}
      isShown={isShown}
      onShown={onShown}
    >
      <p class="hint">{t.password.credentialText}</p>
    </HiddenSecret>
  );
}

type Kind = "curl" | "requests" | "smtplib" | "fetch" | "resend" | "nodemailer" | "smtp";

function Snippets({ isShown }: { isShown: boolean }) {
  const t = useTexts();
  const smtp = useStore(site)!.smtpImapProxyConfig.smtp;
  const signedIn = useStore(session);
  const [kind, setKind] = useState<Kind>("curl");
  const real = valuesFor(signedIn, true);
  const hidden = valuesFor(signedIn, isShown);
  const code = (write: typeof curl, label: string) => (
    <Code text={write(real)} shown={write(hidden)} label={label} />
  );
  const needsSmtp = (
    <Notice>
      <p>{t.password.noSmtp}</p>
    </Notice>
  );
  const bySmtp = (write: typeof smtplib, label: string) => (
    <div class="stack">
      {!smtp && needsSmtp}
      {code((values) => write(values, smtp ?? UNKNOWN_SMTP), label)}
    </div>
  );
  return (
    <Card title={t.password.snippets}>
      <p class="hint">{t.password.snippetsText}</p>
      <Tabs
        label={t.password.snippets}
        tabs={[
          ["curl", t.password.curl],
          ["requests", t.password.requests],
          ["smtplib", t.password.smtplib],
          ["fetch", t.password.fetch],
          ["resend", t.password.resend],
          ["nodemailer", t.password.nodemailer],
          ["smtp", t.password.smtp],
        ]}
        chosen={kind}
        onChosen={setKind}
      >
        {kind === "curl" && code(curl, t.password.curl)}
        {kind === "requests" && code(requests, t.password.requests)}
        {kind === "fetch" && code(javascript, t.password.fetch)}
        {kind === "resend" && code(resend, t.password.resend)}
        {kind === "smtplib" && bySmtp(smtplib, t.password.smtplib)}
        {kind === "nodemailer" && bySmtp(nodemailer, t.password.nodemailer)}
        {kind === "smtp" && (smtp ? <SmtpSettings smtp={smtp} /> : needsSmtp)}
      </Tabs>
    </Card>
  );
}

function SmtpSettings({ smtp }: { smtp: Smtp }) {
  const t = useTexts();
  const { address = "", jwt = "" } = useStore(session);
  const copied = (name: string, text: string, shown = text) =>
    [
      name,
      <div class="spread">
        <bdi>{shown}</bdi>
        <CopyButton text={text} label={name} />
      </div>,
    ] as const;
  return (
    <Facts
      facts={[
        copied(t.password.smtpHost, smtp.host),
        copied(t.password.smtpPort, String(smtp.port)),
        copied(t.password.smtpUser, address),
        copied(t.start.password, jwt, t.password.smtpPasswordText),
        [t.password.smtpSecurity, smtp.starttls ? t.password.starttls : t.password.tls],
      ]}
    />
  );
}

interface OnReplaced {
  onReplaced: (made: Replacement) => void;
}

function Replace({ onReplaced }: OnReplaced) {
  const t = useTexts();
  const [isAsking, setIsAsking] = useState(false);
  return (
    <Card title={t.password.replaceTitle}>
      <div class="spread">
        <p class="muted">{t.password.replaceText}</p>
        <Button onClick={() => setIsAsking(true)}>{t.password.replace}</Button>
      </div>
      {isAsking && <ReplaceDialog onReplaced={onReplaced} onClose={() => setIsAsking(false)} />}
    </Card>
  );
}

function ReplaceDialog({ onReplaced, onClose }: OnReplaced & { onClose: () => void }) {
  const t = useTexts();
  const { enableAddressPassword } = useStore(site)!;
  const form = useForm({ current_password: "" }, async ({ current_password: password }) => {
    const proof = password ? { current_password: await digest(password) } : {};
    const made = await callOnce<Replacement>(
      "POST",
      "/api/rotate_credential",
      t.password.maybeReplaced,
      { body: proof },
    );
    onReplaced(made);
    signIn({ jwt: made.jwt });
  });
  return (
    <FormDialog
      title={t.password.confirmTitle}
      submit={t.password.replace}
      form={form}
      onClose={onClose}
    >
      <p>{t.password.confirmText}</p>
      {enableAddressPassword && (
        <TextField
          label={t.password.currentPassword}
          hint={t.password.keepPasswordHint}
          type="password"
          autocomplete="current-password"
          {...form.field("current_password")}
        />
      )}
      {form.problem?.code === "too_many_logins" && <p>{t.password.replaceWithout}</p>}
    </FormDialog>
  );
}

interface Replacement {
  jwt: string;
  password_ended?: boolean;
}

interface Replaced extends Replacement {
  address: string;
}

/** @param missing the error message if the address has a password that `body` lacks. */
async function changePassword(body: object, missing: string): Promise<void> {
  try {
    await call("POST", "/api/address_change_password", { body });
  } catch (error) {
    const isMissing = error instanceof Problem && error.code === "current_password_missing";
    throw isMissing ? fieldErrors({ current_password: missing }) : error;
  }
}

function ChangePassword() {
  const t = useTexts();
  const { address } = useStore(session);
  const initial = { current_password: "", new_password: "", repeated: "" };
  const form = useForm(initial, async (entered) => {
    const { current_password: current, new_password: password, repeated } = entered;
    const { tooShort } = t.password;
    if (password.length < SHORTEST_PASSWORD) throw fieldErrors({ new_password: tooShort });
    if (password !== repeated) throw fieldErrors({ repeated: t.password.notSame });
    const proof = current ? { current_password: await digest(current) } : {};
    const body = { ...proof, new_password: await digest(password) };
    await changePassword(body, t.password.currentPasswordMissing);
    toast(t.password.changed);
    form.reset();
  });
  return (
    <Card title={t.password.changeTitle}>
      <p class="muted">{t.password.changeText}</p>
      <form {...form.attributes}>
        {/* Password managers keep the password under this name. */}
        <input class="hidden" type="text" autocomplete="username" value={address} readOnly
          tabIndex={-1} aria-hidden="true" />
        <TextField
          label={t.password.currentPassword}
          hint={t.password.currentPasswordHint}
          type="password"
          autocomplete="current-password"
          {...form.field("current_password")}
        />
        <div class="pair">
          <TextField
            label={t.password.newPassword}
            hint={t.password.newPasswordHint}
            type="password"
            autocomplete="new-password"
            {...form.field("new_password")}
          />
          <TextField
            label={t.password.repeat}
            type="password"
            autocomplete="new-password"
            {...form.field("repeated")}
          />
        </div>
        {form.problem && <ProblemNotice problem={form.problem} />}
        <Button type="submit" busy={form.busy}>
          {t.password.change}
        </Button>
      </form>
    </Card>
  );
}

function DeleteAddress() {
  const t = useTexts();
  const { address = "" } = useStore(session);
  const [isAsking, setIsAsking] = useState(false);
  return (
    <Card title={t.password.deleteTitle}>
      <div class="spread">
        <p class="muted">{t.password.deleteText}</p>
        <Button icon="trash" onClick={() => setIsAsking(true)}>
          {t.password.deleteAddress}
        </Button>
      </div>
      {isAsking && (
        <Confirm
          title={t.password.deleteTitle}
          yes={t.password.deleteAddress}
          onClose={() => setIsAsking(false)}
          action={async () => {
            await call("DELETE", "/api/delete_address");
            toast(t.password.deleteDone);
            await signOut();
          }}
        >
          <p>{t.password.deleteConfirm(address)}</p>
        </Confirm>
      )}
    </Card>
  );
}
