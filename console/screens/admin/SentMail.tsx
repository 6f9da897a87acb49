/** The messages of all addresses and administrators. */

import { useState } from "preact/hooks";
import { callAsAdmin } from "../../api/admin";
import { mailbox, mailOf } from "../../api/sent_mail";
import type { SendboxEntry } from "../../api/types";
import { Badge } from "../../components/Badge";
import { Button } from "../../components/Button";
import { Confirm, Dialog } from "../../components/Dialog";
import { Facts } from "../../components/Facts";
import { Preview } from "../../components/Preview";
import { Time } from "../../components/Time";
import { toast } from "../../state/toasts";
import { useTexts } from "../../texts";
import { AdminList, usePagedList } from "./AdminList";

export function SentMail() {
  const { admin: a, compose, sent } = useTexts();
  const t = a.sent;
  const [chosen, setChosen] = useState<SendboxEntry>();
  const list = usePagedList<SendboxEntry>("/admin/sendbox", { search: "address" });
  const subject = (row: SendboxEntry) => mailOf(row).subject || sent.noSubject;
  return (
    <AdminList
      section="sent"
      list={list}
      icon="sent"
      aside={
        <Button icon="refresh" onClick={() => void list.reload()}>
          {a.common.refresh}
        </Button>
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
        { title: t.status, cell: (row) => <Badge status={row.status} /> },
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
  const mail = mailOf(entry);
  return (
    <Dialog title={mail.subject || sent.noSubject} onClose={onClose} wide>
      <Facts
        facts={[
          [t.status, <Badge status={entry.status} />],
          [t.sender, <bdi>{mailbox(entry.address, mail.from_name)}</bdi>],
          [t.recipient, <bdi>{mailbox(mail.to_mail, mail.to_name)}</bdi>],
          [t.at, <Time at={entry.created_at} />],
          [message.id, <code>{entry.id}</code>],
        ]}
      />
      <section class="dialog-part" aria-label={message.content}>
        {!mail.content ? (
          <p class="muted">{message.noContent}</p>
        ) : mail.is_html ? (
          <Preview html={mail.content} />
        ) : (
          <pre class="message-text admin-text" dir="auto" tabIndex={0}>{mail.content}</pre>
        )}
        {entry.content_truncated && <p class="hint">{t.truncated}</p>}
      </section>
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
