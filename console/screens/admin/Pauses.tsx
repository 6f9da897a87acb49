/** Addresses that may not send, and letting one send again. */

import { useState } from "preact/hooks";
import { callAsAdmin, useAdmin, type PauseRow } from "../../api/admin";
import { Button } from "../../components/Button";
import { Confirm } from "../../components/Dialog";
import { Empty, Skeleton } from "../../components/Empty";
import { ProblemNotice } from "../../components/Notice";
import { Page } from "../../components/Page";
import { Table } from "../../components/Table";
import { Time } from "../../components/Time";
import { toast } from "../../state/toasts";
import { useTexts } from "../../texts";

export function Pauses() {
  const a = useTexts().admin;
  const t = a.pauses;
  const { data, problem, reload } = useAdmin<{ results: PauseRow[] }>("/admin/pauses");
  const [chosen, setChosen] = useState<PauseRow>();
  return (
    <Page title={a.sections.pauses} intro={t.intro}>
      {problem && <ProblemNotice problem={problem} retry={() => void reload()} />}
      {!data && !problem && <Skeleton />}
      {data && !data.results.length && (
        <Empty icon="check" title={t.emptyTitle}>
          <p>{t.emptyText}</p>
        </Empty>
      )}
      {data && data.results.length > 0 && (
        <Table
          caption={t.list}
          rows={data.results}
          id={(row) => row.id}
          columns={[
            { title: a.common.address, cell: (row) => <bdi class="strong">{row.address}</bdi> },
            { title: a.common.since, cell: (row) => <Time at={row.since} /> },
            {
              title: a.common.actions,
              kind: "actions",
              cell: (row) => (
                <Button small aria-label={t.liftOne(row.address)} onClick={() => setChosen(row)}>
                  {t.lift}
                </Button>
              ),
            },
          ]}
        />
      )}
      {chosen && (
        <Confirm
          title={t.liftTitle}
          kind="primary"
          yes={t.lift}
          onClose={() => setChosen(undefined)}
          action={async () => {
            await callAsAdmin("DELETE", `/admin/pauses/${chosen.id}`);
            toast(t.lifted);
            await reload();
          }}
        >
          <p>{t.liftText(chosen.address)}</p>
        </Confirm>
      )}
    </Page>
  );
}
