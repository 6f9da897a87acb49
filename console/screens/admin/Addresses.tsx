/** All addresses, with search and sorting. */

import { useState } from "preact/hooks";
import type { AddressRow } from "../../api/admin";
import { Button } from "../../components/Button";
import { SelectField } from "../../components/Field";
import { Time } from "../../components/Time";
import { replace } from "../../state/route";
import { useTexts } from "../../texts";
import { number } from "../../texts/formats";
import { AddressDialog } from "./AddressDialog";
import { AdminList, useListRoute, usePagedList } from "./AdminList";
import { NewAddress } from "./NewAddress";

const SORTS = {
  newest: ["id", "desc"],
  oldest: ["id", "asc"],
  name: ["name", "asc"],
  sent: ["send_count", "desc"],
  changed: ["updated_at", "desc"],
} as const;

type Sort = keyof typeof SORTS;

export function Addresses() {
  const a = useTexts().admin;
  const t = a.addresses;
  const { path, parameters } = useListRoute();
  const sort: Sort = isSort(parameters["sort"]) ? parameters["sort"] : "newest";
  const [isCreating, setIsCreating] = useState(false);
  const [chosen, setChosen] = useState<AddressRow>();
  const list = usePagedList<AddressRow>("/admin/address", {
    search: "q",
    query: { sort_by: SORTS[sort][0], sort_order: SORTS[sort][1] },
  });
  return (
    <AdminList
      section="addresses"
      list={list}
      icon="users"
      aside={
        <Button kind="primary" icon="users" onClick={() => setIsCreating(true)}>
          {t.create}
        </Button>
      }
      tools={
        <SelectField
          label={t.sort}
          value={sort}
          options={Object.entries(t.sorts)}
          onValue={(chosen) =>
            replace(path, { ...parameters, sort: chosen === "newest" ? "" : chosen })
          }
        />
      }
      id={(row) => row.id}
      columns={[
        { title: a.common.address, cell: (row) => <bdi class="strong">{row.name}</bdi> },
        { title: t.created, cell: (row) => <Time at={row.created_at} /> },
        { title: t.from, cell: (row) => <bdi class="muted">{row.source_meta ?? "–"}</bdi> },
        { title: t.sent, kind: "number", cell: (row) => number(row.send_count) },
      ]}
      actions={(row) => (
        <Button small aria-label={t.manageOne(row.name)} onClick={() => setChosen(row)}>
          {t.manage}
        </Button>
      )}
    >
      {isCreating && (
        <NewAddress onClose={() => setIsCreating(false)} onCreated={() => void list.reload()} />
      )}
      {chosen && (
        <AddressDialog
          row={chosen}
          onClose={() => setChosen(undefined)}
          onChanged={list.reload}
        />
      )}
    </AdminList>
  );
}

function isSort(word: string | undefined): word is Sort {
  return word !== undefined && Object.hasOwn(SORTS, word);
}
