/** The messages of all addresses and administrators: their list, or one of them. */

import { Button } from "../../components/Button";
import { Empty } from "../../components/Empty";
import { Page } from "../../components/Page";
import { route } from "../../state/route";
import { useStore } from "../../state/store";
import { useTexts } from "../../texts";
import Message from "../Message";
import { ExportButton } from "../messages/Export";
import { MessageList, useMessages } from "../messages/MessageList";
import { EVERYBODY } from "../messages/source";

export function SentMail() {
  const id = useStore(route).path[2];
  return id ? <Message key={id} id={id} source={EVERYBODY} /> : <List />;
}

function List() {
  const { admin: a } = useTexts();
  const t = a.sent;
  const shown = useMessages(EVERYBODY);
  const { filters, loaded } = shown;
  return (
    <Page
      title={a.sections.sent}
      intro={t.intro}
      aside={
        <>
          <Button icon="refresh" onClick={() => void loaded.reload()}>
            {a.common.refresh}
          </Button>
          {Boolean(loaded.data?.results.length) && (
            <ExportButton source={EVERYBODY} filters={filters} />
          )}
        </>
      }
    >
      <MessageList
        source={EVERYBODY}
        shown={shown}
        empty={
          <Empty icon="sent" title={t.emptyTitle}>
            <p>{t.emptyText}</p>
          </Empty>
        }
      />
    </Page>
  );
}
