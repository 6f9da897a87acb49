/** The administration: its sections, behind the admin password. */

import type { ComponentType } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Empty } from "../../components/Empty";
import { Page } from "../../components/Page";
import { href, route } from "../../state/route";
import { useStore } from "../../state/store";
import type { AdminTexts } from "../../texts/admin.en";
import { useTexts } from "../../texts";
import { Addresses } from "./Addresses";
import { AdminGate } from "./AdminGate";
import { Audit } from "./Audit";
import { Balances } from "./Balances";
import { Domains } from "./Domains";
import { Limits } from "./Limits";
import { Lists } from "./Lists";
import { Overview } from "./Overview";
import { Pauses } from "./Pauses";
import { SentMail } from "./SentMail";
import { Suppressions } from "./Suppressions";
import { Transports } from "./Transports";
import { Webhooks } from "../Webhooks";

const SECTIONS: Record<keyof AdminTexts["sections"], ComponentType> = {
  overview: Overview,
  addresses: Addresses,
  balances: Balances,
  sent: SentMail,
  domains: Domains,
  transports: Transports,
  lists: Lists,
  limits: Limits,
  suppressions: Suppressions,
  pauses: Pauses,
  webhooks: AllWebhooks,
  audit: Audit,
};

export function Admin() {
  return (
    <div class="admin">
      <AdminGate>
        <Section />
      </AdminGate>
    </div>
  );
}

function Section() {
  const t = useTexts();
  const name = useStore(route).path[1] || "overview";
  const Screen = isSection(name) ? SECTIONS[name] : undefined;
  return (
    <>
      <Sections here={name} />
      {Screen ? (
        <Screen key={name} />
      ) : (
        <Page title={t.problems.notFound}>
          <Empty icon="search" title={t.problems.notFound}>
            <p>{t.problems.notFoundText}</p>
          </Empty>
        </Page>
      )}
    </>
  );
}

function AllWebhooks() {
  const id = useStore(route).path[2] ?? "";
  return <Webhooks key={id} base="/admin/webhooks" id={id} />;
}

function Sections({ here }: { here: string }) {
  const t = useTexts();
  const { sections } = useTexts().admin;
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    const current = list.current?.querySelector<HTMLElement>("[aria-current]");
    // Not scrollIntoView, which would scroll the page too.
    if (current) list.current!.scrollLeft = current.offsetLeft - 48;
  }, [here]);
  return (
    <nav class="sections" aria-label={t.admin.navigation}>
      <ul ref={list}>
        {Object.entries(sections).map(([name, text]) => (
          <li key={name}>
            <a
              href={href(name === "overview" ? "/admin" : `/admin/${name}`)}
              aria-current={name === here ? "page" : undefined}
            >
              {text}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function isSection(name: string): name is keyof typeof SECTIONS {
  return Object.hasOwn(SECTIONS, name);
}
