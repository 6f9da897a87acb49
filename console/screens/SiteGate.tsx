/** Asks for the site password, if the site has one, before any screen. */

import type { ComponentChildren } from "preact";
import { PasswordGate } from "../components/PasswordGate";
import { session, signIn } from "../state/session";
import { isSecretShown } from "../state/shown_once";
import { site } from "../state/site";
import { useStore } from "../state/store";
import { useTexts } from "../texts";

export function SiteGate({ children }: { children: ComponentChildren }) {
  const t = useTexts();
  const isAsked = useStore(site)?.needAuth && !useStore(session).sitePassword;
  const mustStay = useStore(isSecretShown);
  if (!isAsked || mustStay) return <>{children}</>;
  return (
    <PasswordGate
      title={t.site.title}
      texts={t.site}
      path="/open_api/site_login"
      onEntered={(sitePassword, keep) => signIn({ sitePassword }, keep)}
    />
  );
}
