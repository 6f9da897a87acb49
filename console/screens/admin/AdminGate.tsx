/** Asks for the admin password before the administration. */

import type { ComponentChildren } from "preact";
import { Notice } from "../../components/Notice";
import { PasswordGate } from "../../components/PasswordGate";
import { session, signIn } from "../../state/session";
import { isSecretShown } from "../../state/shown_once";
import { site } from "../../state/site";
import { useStore } from "../../state/store";
import { useTexts } from "../../texts";

export function AdminGate({ children }: { children: ComponentChildren }) {
  const { admin, nav } = useTexts();
  const isOpen = useStore(site)?.disableAdminPasswordCheck;
  const isIn = Boolean(useStore(session).adminPassword);
  const mustStay = useStore(isSecretShown);
  if (isOpen) {
    return (
      <>
        <Notice kind="warning">
          <p>{admin.gate.open}</p>
        </Notice>
        {children}
      </>
    );
  }
  if (isIn || mustStay) return <>{children}</>;
  return (
    <PasswordGate
      title={nav.admin}
      texts={admin.gate}
      path="/open_api/admin_login"
      onEntered={(adminPassword, keep) => signIn({ adminPassword }, keep)}
    />
  );
}
