/** The sent messages of the address. */

import { useState } from "preact/hooks";
import { call } from "../api/client";
import { Button, ButtonLink } from "../components/Button";
import { Confirm } from "../components/Dialog";
import { Empty } from "../components/Empty";
import { Menu } from "../components/Menu";
import { Page } from "../components/Page";
import { href, replace } from "../state/route";
import { site } from "../state/site";
import { useStore } from "../state/store";
import { toast } from "../state/toasts";
import { useTexts } from "../texts";
import { ExportButton } from "./messages/Export";
import { MessageList, useMessages } from "./messages/MessageList";
import { OWN } from "./messages/source";

export default function Sent() {
  const t = useTexts();
  const mayDelete = useStore(site)?.enableUserDeleteEmail;
  const [isClearing, setIsClearing] = useState(false);
  const shown = useMessages(OWN);
  const { filters, isFiltered, loaded } = shown;
  const hasMessages = Boolean(loaded.data?.results.length);
  return (
    <Page
      width="wide"
      title={t.nav.sent}
      aside={
        hasMessages && (
          <>
            <ExportButton source={OWN} filters={filters} />
            {mayDelete && !isFiltered && (
              <Menu label={t.common.more}>
                <Button kind="quiet" icon="trash" onClick={() => setIsClearing(true)}>
                  {t.sent.clearAll}
                </Button>
              </Menu>
            )}
          </>
        )
      }
    >
      <MessageList
        source={OWN}
        shown={shown}
        empty={
          <Empty icon="sent" title={t.sent.emptyTitle}>
            <p>{t.sent.emptyText}</p>
            <ButtonLink href={href("/compose")} kind="primary" icon="compose">
              {t.nav.compose}
            </ButtonLink>
          </Empty>
        }
      />
      {isClearing && (
        <Confirm
          title={t.sent.clearAllTitle}
          yes={t.sent.clearAll}
          onClose={() => setIsClearing(false)}
          action={async () => {
            await call("DELETE", "/api/clear_sent_items");
            toast(t.sent.cleared);
            replace("/sent");
            await loaded.reload();
          }}
        >
          <p>{t.sent.clearAllText}</p>
        </Confirm>
      )}
    </Page>
  );
}
