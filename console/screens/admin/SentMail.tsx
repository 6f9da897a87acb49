/** The messages of all addresses and administrators. */

import { useState } from "preact/hooks";
import { callAsAdmin, useAdmin } from "../../api/admin";
import { mailOf } from "../../api/sent_mail";
import type { SendboxEntry, SendboxMessage } from "../../api/types";
import { Badge } from "../../components/Badge";
import { Button } from "../../components/Button";
import { DeliveryFilter, filterOf } from "../../components/DeliveryFilter";
import { Confirm, Dialog } from "../../components/Dialog";
import { Loader } from "../../components/Loader";
import { Time } from "../../components/Time";
import { go } from "../../state/route";
import { toast } from "../../state/toasts";
import { useTexts } from "../../texts";
import { Failure } from "../message/failure";
import { Content, Details, History, Recipients } from "../message/parts";
import { AdminList, useListRoute, usePagedList } from "./AdminList";

export function SentMail() {
  const { admin: a, compose, sent } = useTexts();
  const t = a.sent;
  const [chosen, setChosen] = useState<SendboxEntry>();
  const { path, parameters } = useListRoute();
  const delivery = filterOf(parameters["delivery"]);
  const list = usePagedList<SendboxEntry>("/admin/sendbox", {
    search: "address",
    query: { delivery_status: delivery },
  });
  const subject = (row: SendboxEntry) => mailOf(row).subject || sent.noSubject;
  return (
    <AdminList
      section="sent"
      list={{ ...list, isFiltered: delivery !== "" }}
      icon="sent"
      aside={
        <Button icon="refresh" onClick={() => void list.reload()}>
          {a.common.refresh}
        </Button>
      }
      tools={
        <DeliveryFilter
          value={delivery}
          onValue={(chosen) => go(path, { ...parameters, delivery: chosen })}
        />
      }
      id={(row) => row.id}
      columns={[
        { title: compose.subject, cell: (row) => <bdi class="clip strong">{subject(row)}</bdi> },
        {
          title: t.mailboxes,
          cell: (row) => (
            <div class="mailboxes">
              <bdi class="clip">{row.address}</bdi>
              <bdi class="clip muted">{mailOf(row).to_mail}</bdi>
            </div>
          ),
        },
        { title: t.status, cell: (row) => <Badge of={row} /> },
        { title: t.at, cell: (row) => <Time at={row.created_at} /> },
      ]}
      actions={(row) => (
        <Button small aria-label={t.openOne(subject(row))} onClick={() => setChosen(row)}>
          {t.open}
        </Button>
      )}
    >
      {chosen && (
        <Message
          entry={chosen}
          onClose={() => setChosen(undefined)}
          onChanged={list.reload}
        />
      )}
    </AdminList>
  );
}

function Message({
  entry,
  onClose,
  onChanged,
}: {
  entry: SendboxEntry;
  onClose: () => void;
  onChanged: () => Promise<void>;
}) {
  const { admin, message, sent } = useTexts();
  const t = admin.sent;
  const [isAsked, setIsAsked] = useState(false);
  const loaded = useAdmin<SendboxMessage>(`/admin/sendbox/${encodeURIComponent(entry.id)}`);
  return (
    <Dialog title={mailOf(entry).subject || sent.noSubject} onClose={onClose} wide>
      <Loader from={loaded}>{(whole) => <Whole message={whole} />}</Loader>
      <footer>
        <Button kind="danger" icon="trash" onClick={() => setIsAsked(true)}>
          {t.delete}
        </Button>
      </footer>
      {isAsked && (
        <Confirm
          title={t.deleteTitle}
          yes={t.delete}
          onClose={() => setIsAsked(false)}
          action={async () => {
            await callAsAdmin("DELETE", `/admin/sendbox/${entry.id}`);
            toast(message.deleted);
            await onChanged();
            onClose();
          }}
        >
          <p>{t.deleteText}</p>
        </Confirm>
      )}
    </Dialog>
  );
}

function Whole({ message }: { message: SendboxMessage }) {
  const t = useTexts().message;
  return (
    <div class="stack">
      <span class="row">
        <Badge of={message} />
        <Time at={message.created_at} />
      </span>
      {message.status === "failed" && <Failure message={message} />}
      <Recipients message={message} mail={mailOf(message)} />
      <section class="dialog-part" aria-label={t.content}>
        <Content message={message} />
      </section>
      <section class="dialog-part">
        <h3>{t.history}</h3>
        <History message={message} />
      </section>
      <section class="dialog-part">
        <h3>{t.details}</h3>
        <Details message={message} />
      </section>
    </div>
  );
}
