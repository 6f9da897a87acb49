/** Addresses that may not send, and a button that lifts the pause. */

import { useState } from "preact/hooks";
import { callAsAdmin, useAdmin, type PauseRow } from "../../api/admin";
import { Button } from "../../components/Button";
import { Confirm } from "../../components/Dialog";
import { Time } from "../../components/Time";
import { toast } from "../../state/toasts";
import { useTexts } from "../../texts";
import { AdminList } from "./AdminList";

export function Pauses() {
  const a = useTexts().admin;
  const t = a.pauses;
  const list = useAdmin<{ results: PauseRow[] }>("/admin/pauses");
  const [chosen, setChosen] = useState<PauseRow>();
  return (
    <AdminList
      section="pauses"
      list={list}
      icon="check"
      id={(row) => row.id}
      columns={[
        { title: a.common.address, cell: (row) => <bdi class="strong">{row.address}</bdi> },
        { title: a.common.since, cell: (row) => <Time at={row.since} /> },
      ]}
      actions={(row) => (
        <Button small aria-label={t.liftOne(row.address)} onClick={() => setChosen(row)}>
          {t.lift}
        </Button>
      )}
    >
      {chosen && (
        <Confirm
          title={t.liftTitle}
          kind="primary"
          yes={t.lift}
          onClose={() => setChosen(undefined)}
          action={async () => {
            await callAsAdmin("DELETE", `/admin/pauses/${chosen.id}`);
            toast(t.lifted);
            await list.reload();
          }}
        >
          <p>{t.liftText(chosen.address)}</p>
        </Confirm>
      )}
    </AdminList>
  );
}
