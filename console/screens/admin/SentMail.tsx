/** What all addresses and administrators have sent. */

import { useState } from "preact/hooks";
import { callAsAdmin, useAdmin, type Rows } from "../../api/admin";
import type { SendboxEntry, SentMail as Mail } from "../../api/types";
import { Badge } from "../../components/Badge";
import { Button } from "../../components/Button";
import { Confirm, Dialog } from "../../components/Dialog";
import { Empty } from "../../components/Empty";
import { Page } from "../../components/Page";
import { Preview } from "../../components/Preview";
import { Table } from "../../components/Table";
import { Time } from "../../components/Time";
import { toast } from "../../state/toasts";
import { useTexts } from "../../texts";
import { Listing, pageQuery, Search, useListPlace } from "./parts";

interface Entry extends SendboxEntry {
  mail: Mail;
}

export function SentMail() {
  const a = useTexts().admin;
  const t = a.sent;
  const { page, words } = useListPlace();
  const address = words["address"] ?? "";
  const [chosen, setChosen] = useState<Entry>();
  const shown = useAdmin<Rows<SendboxEntry>>("/admin/sendbox", { ...pageQuery(page), address });
  return (
    <Page
      title={a.sections.sent}
      intro={t.intro}
      aside={
        <Button icon="refresh" onClick={() => void shown.reload()}>
          {a.common.refresh}
        </Button>
      }
    >
      <Search name="address" hint={a.common.wholeAddress} whole />
      <Listing
        shown={shown}
        page={page}
        isSearch={address !== ""}
        empty={
          <Empty icon="sent" title={t.emptyTitle}>
            <p>{t.emptyText}</p>
          </Empty>
        }
      >
        {(rows) => (
          <Table
            caption={t.list}
            rows={rows.map(opened)}
            id={(row) => row.id}
            columns={[
              {
                title: t.subject,
                cell: (row) => <bdi class="clip strong">{row.mail.subject || t.noSubject}</bdi>,
              },
              {
                title: t.mailboxes,
                cell: (row) => (
                  <div class="mailboxes">
                    <bdi class="clip">{row.address}</bdi>
                    <bdi class="clip muted">{row.mail.to_mail}</bdi>
                  </div>
                ),
              },
              { title: t.status, cell: (row) => <Badge status={row.status} /> },
              { title: t.at, cell: (row) => <Time at={row.created_at} /> },
              {
                title: a.common.actions,
                kind: "actions",
                cell: (row) => (
                  <Button
                    small
                    aria-label={t.openOne(row.mail.subject || t.noSubject)}
                    onClick={() => setChosen(row)}
                  >
                    {t.open}
                  </Button>
                ),
              },
            ]}
          />
        )}
      </Listing>
      {chosen && (
        <Message
          entry={chosen}
          onClose={() => setChosen(undefined)}
          onChanged={shown.reload}
        />
      )}
    </Page>
  );
}

function Message({
  entry,
  onClose,
  onChanged,
}: {
  entry: Entry;
  onClose: () => void;
  onChanged: () => Promise<void>;
}) {
  const t = useTexts().admin.sent;
  const [isAsked, setIsAsked] = useState(false);
  const { mail } = entry;
  return (
    <Dialog title={mail.subject || t.noSubject} onClose={onClose} wide>
      <dl class="facts">
        <dt>{t.status}</dt>
        <dd>
          <Badge status={entry.status} />
        </dd>
        <dt>{t.sender}</dt>
        <dd>
          <Mailbox name={mail.from_name} address={entry.address} />
        </dd>
        <dt>{t.recipient}</dt>
        <dd>
          <Mailbox name={mail.to_name} address={mail.to_mail} />
        </dd>
        <dt>{t.at}</dt>
        <dd>
            <Time at={entry.created_at} />
          </dd>
        <dt>{t.id}</dt>
        <dd>
          <code>{entry.id}</code>
        </dd>
      </dl>
      <section class="dialog-part" aria-label={t.content}>
        {!mail.content && <p class="muted">{t.noContent}</p>}
        {mail.content &&
          (mail.is_html ? <Preview html={mail.content} /> : <Text text={mail.content} />)}
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
            toast(t.deleted);
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

function Mailbox({ name, address }: { name: string; address: string }) {
  return (
    <>
      {name && (
        <>
          <bdi>{name}</bdi>{" "}
        </>
      )}
      <bdi class={name ? "muted" : undefined}>{address}</bdi>
    </>
  );
}

function Text({ text }: { text: string }) {
  const t = useTexts().admin.sent;
  return (
    <div
      class="message-text admin-text"
      tabIndex={0}
      role="region"
      aria-label={t.content}
      dir="auto"
    >
      {text}
    </div>
  );
}

function opened(entry: SendboxEntry): Entry {
  return { ...entry, mail: JSON.parse(entry.raw) as Mail };
}
