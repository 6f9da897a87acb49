/** The ways by which mail leaves: their domains, states and numbers, and a test mail. */

import { useState } from "preact/hooks";
import { callAsAdmin, useAdmin, type TransportRow } from "../../api/admin";
import { Button } from "../../components/Button";
import { TextField } from "../../components/Field";
import { useForm } from "../../components/form";
import { FormDialog } from "../../components/FormDialog";
import { Notice } from "../../components/Notice";
import { Time } from "../../components/Time";
import { useTexts } from "../../texts";
import { number } from "../../texts/formats";
import { AdminList } from "./AdminList";

const STATES: Record<TransportRow["state"], string> = {
  ok: "good",
  failing: "warning",
  skipped: "bad",
};

export function Transports() {
  const t = useTexts().admin.transports;
  const list = useAdmin<{ results: TransportRow[] }>("/admin/transports");
  const [tested, setTested] = useState<TransportRow>();
  return (
    <AdminList
      section="transports"
      list={list}
      icon="bolt"
      id={(row) => row.name}
      columns={[
        {
          title: t.name,
          cell: (row) => (
            <>
              <code>{row.name}</code>
              <br />
              <span class="muted">{t.types[row.type]}</span>
            </>
          ),
        },
        { title: t.domains, cell: (row) => <Domains row={row} /> },
        { title: t.state, cell: (row) => <State row={row} /> },
        { title: t.sent, kind: "number", cell: (row) => number(row.sent_today) },
        { title: t.rejected, kind: "number", cell: (row) => number(row.rejected_today) },
      ]}
      actions={(row) => (
        <Button small aria-label={t.testOne(row.name)} onClick={() => setTested(row)}>
          {t.test}
        </Button>
      )}
    >
      {tested && (
        <TestDialog
          row={tested}
          onClose={() => {
            setTested(undefined);
            void list.reload();
          }}
        />
      )}
    </AdminList>
  );
}

function Domains({ row }: { row: TransportRow }) {
  const t = useTexts().admin.transports;
  if (!row.domains.length) return <span class="muted">{t.noDomain}</span>;
  return <bdi>{row.domains.map((domain) => (domain === "*" ? t.others : domain)).join(", ")}</bdi>;
}

function State({ row }: { row: TransportRow }) {
  const t = useTexts().admin.transports;
  return (
    <div>
      <span class={`badge ${STATES[row.state] ?? ""}`}>{t.states[row.state]}</span>
      {row.skipped_until && (
        <p class="hint">
          {t.until} <Time at={row.skipped_until} />
        </p>
      )}
      {row.last_error && row.last_error_at && (
        <p class="hint">
          {t.lastError} <Time at={row.last_error_at} />: <bdi>{row.last_error}</bdi>
        </p>
      )}
    </div>
  );
}

interface TestResult {
  status: string;
}

function TestDialog({ row, onClose }: { row: TransportRow; onClose: () => void }) {
  const { close } = useTexts().common;
  const t = useTexts().admin.transports;
  const [result, setResult] = useState<TestResult>();
  const form = useForm({ from_mail: "", to_mail: "" }, async (body) => {
    setResult(undefined);
    const path = `/admin/transports/${encodeURIComponent(row.name)}/test`;
    setResult(await callAsAdmin<TestResult>("POST", path, { body }));
  });
  return (
    <FormDialog
      title={t.testOne(row.name)}
      submit={t.send}
      cancel={close}
      form={form}
      onClose={onClose}
    >
      <p class="muted">{t.testText}</p>
      <TextField label={t.from} type="email" required {...form.field("from_mail")} />
      <TextField label={t.to} type="email" required {...form.field("to_mail")} />
      <div role="status">
        {result && <Notice>{result.status === "ok" ? t.accepted : t.asked}</Notice>}
      </div>
    </FormDialog>
  );
}
