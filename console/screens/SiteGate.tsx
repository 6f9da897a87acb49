/** Asks for the site password, if the site has one, before any screen. */

import type { ComponentChildren } from "preact";
import { PasswordGate } from "../components/PasswordGate";
import { session, signIn } from "../state/session";
import { site } from "../state/site";
import { useStore } from "../state/store";
import { useTexts } from "../texts";

export function SiteGate({ children }: { children: ComponentChildren }) {
  const t = useTexts();
  const isAsked = useStore(site)?.needAuth && !useStore(session).sitePassword;
  if (!isAsked) return <>{children}</>;
  return (
    <PasswordGate
      title={t.site.title}
      texts={t.site}
      path="/open_api/site_login"
      onEntered={(sitePassword, keep) => signIn({ sitePassword }, keep)}
    />
  );
}
