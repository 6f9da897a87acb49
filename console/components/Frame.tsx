/** The frame of the console: the name of the service, the navigation, the preferences. */

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { draftTitles } from "../state/drafts";
import { href, requestLeave, route } from "../state/route";
import { chooseTheme, theme, type Theme } from "../state/preferences";
import { forgetAdministrator, session } from "../state/session";
import { signOut } from "../state/sign_out";
import { site } from "../state/site";
import { useStore } from "../state/store";
import { chooseLang, lang, LANGUAGES, useTexts, type Lang } from "../texts";
import { Confirm } from "./Dialog";
import { Icon, type IconName } from "./Icon";

export function Frame({ children }: { children: ComponentChildren }) {
  const t = useTexts();
  const settings = useStore(site);
  return (
    <div class="frame">
      <a
        class="skip"
        href="#content"
        onClick={(event) => {
          event.preventDefault(); // a new URL fragment would change the screen
          document.getElementById("content")?.focus();
        }}
      >
        {t.common.skip}
      </a>
      <header class="side">
        <a class="brand" href={href("/")}>
          <img src="icon.svg" alt="" width="28" height="28" />
          <span class="one-line-text">{settings?.title ?? "Send Mail API"}</span>
        </a>
        <Navigation />
        <div class="side-end">
          <Account />
          <Choices />
        </div>
      </header>
      <main id="content" tabIndex={-1}>
        {children}
        <footer class="phone-links">
          <Links />
        </footer>
      </main>
    </div>
  );
}

function Navigation() {
  const t = useTexts();
  const here = useStore(route).path[0] ?? "";
  const { jwt } = useStore(session);
  const isListed = useAdministrationIsListed();
  const places: [string, IconName, string][] = [];
  if (jwt) {
    places.push(
      ["compose", "compose", t.nav.compose],
      ["sent", "sent", t.nav.sent],
      ["password", "key", t.nav.password],
      ["webhooks", "bolt", t.nav.webhooks],
      ["usage", "chart", t.nav.usage],
    );
  } else {
    places.push(["start", "home", t.nav.start]);
  }
  if (isListed) {
    places.push(["admin", "shield", t.nav.admin]);
  }
  return (
    <nav aria-label={t.nav.main}>
      <ul>
        {places.map(([place, icon, text]) => (
          <li key={place}>
            <a href={href(`/${place}`)} aria-current={here === place ? "page" : undefined}>
              <Icon name={icon} size={20} />
              <span class="one-line-text">{text}</span>
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function Account() {
  const t = useTexts();
  const { address, adminPassword } = useStore(session);
  const [drafts, setDrafts] = useState<string[]>([]);
  const leave = async () => {
    const titles = await draftTitles();
    if (titles.length) setDrafts(titles);
    else await signOut();
  };
  if (!address && !adminPassword) return null;
  return (
    <>
      <div class="account">
        {address && (
          <p>
            <span class="muted">{t.nav.signedInAs}</span>
            <bdi class="one-line-text" title={address}>{address}</bdi>
          </p>
        )}
        <div class="account-actions">
          {adminPassword && address && (
            <button
              type="button"
              class="link"
              onClick={() => requestLeave(() => forgetAdministrator())}
            >
              <Icon name="shield" size={16} />
              {t.admin.leave}
            </button>
          )}
          <button type="button" class="link" onClick={() => requestLeave(() => void leave())}>
            <Icon name="leave" size={16} />
            {t.nav.signOut}
          </button>
        </div>
      </div>
      {drafts.length > 0 && (
        <Confirm
          title={t.nav.signOutTitle(drafts.length)}
          yes={t.nav.signOut}
          action={signOut}
          onClose={() => setDrafts([])}
        >
          <p>{t.nav.signOutText}</p>
          <ul>
            {drafts.map((title, index) => (
              <li key={index}>
                <bdi>{title}</bdi>
              </li>
            ))}
          </ul>
        </Confirm>
      )}
    </>
  );
}

function Choices() {
  const t = useTexts();
  const themes: [Theme, string][] = [
    ["auto", t.nav.auto],
    ["light", t.nav.light],
    ["dark", t.nav.dark],
  ];
  return (
    <div class="choices">
      <select
        aria-label={t.nav.language}
        value={useStore(lang)}
        onChange={(event) => chooseLang(event.currentTarget.value as Lang)}
      >
        {Object.entries(LANGUAGES).map(([code, name]) => (
          <option key={code} value={code}>
            {name}
          </option>
        ))}
      </select>
      <select
        aria-label={t.nav.theme}
        value={useStore(theme)}
        onChange={(event) => chooseTheme(event.currentTarget.value as Theme)}
      >
        {themes.map(([value, name]) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </select>
      <Links />
    </div>
  );
}

/** Links to what the navigation does not list. */
function Links() {
  const t = useTexts();
  const isListed = useAdministrationIsListed();
  return (
    <>
      <a href="docs">{t.nav.docs}</a>
      {!isListed && <a href={href("/admin")}>{t.nav.admin}</a>}
    </>
  );
}

/** Whether the navigation lists the administration. Most owners of an address never need it. */
function useAdministrationIsListed(): boolean {
  const here = useStore(route).path[0];
  const { jwt, adminPassword } = useStore(session);
  const isOpen = useStore(site)?.disableAdminPasswordCheck ?? false;
  return !jwt || Boolean(adminPassword) || isOpen || here === "admin";
}
