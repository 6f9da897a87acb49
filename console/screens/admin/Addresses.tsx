/** All addresses, with search and sorting. */

import { useState } from "preact/hooks";
import { useAdmin, type AddressRow, type Rows } from "../../api/admin";
import { Button } from "../../components/Button";
import { Empty } from "../../components/Empty";
import { SelectField } from "../../components/Field";
import { Page } from "../../components/Page";
import { Table } from "../../components/Table";
import { Time } from "../../components/Time";
import { replace } from "../../state/route";
import { useTexts } from "../../texts";
import { number } from "../../texts/formats";
import { AddressDialog } from "./AddressDialog";
import { NewAddress } from "./NewAddress";
import { Listing, pageQuery, Search, useListPlace } from "./parts";

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
  const { place, page, words } = useListPlace();
  const query = words["q"] ?? "";
  const sort: Sort = isSort(words["sort"]) ? words["sort"] : "newest";
  const [isCreating, setIsCreating] = useState(false);
  const [chosen, setChosen] = useState<AddressRow>();
  const shown = useAdmin<Rows<AddressRow>>("/admin/address", {
    ...pageQuery(page),
    query,
    sort_by: SORTS[sort][0],
    sort_order: SORTS[sort][1],
  });
  const create = (
    <Button kind="primary" icon="users" onClick={() => setIsCreating(true)}>
      {t.create}
    </Button>
  );
  return (
    <Page title={a.sections.addresses} intro={t.intro} aside={create}>
      <div class="admin-tools">
        <Search name="q" hint={t.searchHint} />
        <SelectField
          label={t.sort}
          value={sort}
          options={Object.entries(t.sorts)}
          onValue={(chosen) =>
            replace(place, { ...words, sort: chosen === "newest" ? "" : chosen })
          }
        />
      </div>
      <Listing
        shown={shown}
        page={page}
        isSearch={query !== ""}
        empty={
          <Empty icon="users" title={t.emptyTitle}>
            <p>{t.emptyText}</p>
          </Empty>
        }
      >
        {(rows) => (
          <Table
            caption={t.list}
            rows={rows}
            id={(row) => row.id}
            columns={[
              { title: a.common.address, cell: (row) => <bdi class="strong">{row.name}</bdi> },
              { title: t.created, cell: (row) => <Time at={row.created_at} /> },
              { title: t.from, cell: (row) => <bdi class="muted">{row.source_meta ?? "–"}</bdi> },
              { title: t.sent, kind: "number", cell: (row) => number(row.send_count) },
              {
                title: a.common.actions,
                kind: "actions",
                cell: (row) => (
                  <Button
                    small
                    aria-label={t.manageOne(row.name)}
                    onClick={() => setChosen(row)}
                  >
                    {t.manage}
                  </Button>
                ),
              },
            ]}
          />
        )}
      </Listing>
      {isCreating && (
        <NewAddress onClose={() => setIsCreating(false)} onCreated={() => void shown.reload()} />
      )}
      {chosen && (
        <AddressDialog
          row={chosen}
          onClose={() => setChosen(undefined)}
          onChanged={shown.reload}
        />
      )}
    </Page>
  );
}

function isSort(word: string | undefined): word is Sort {
  return word !== undefined && Object.hasOwn(SORTS, word);
}
