/** The search, the status and the further filters of a list of messages. */

import { useId, useState } from "preact/hooks";
import { Button, ButtonLink } from "../../components/Button";
import { SelectField, TextField } from "../../components/Field";
import { Search } from "../../components/Search";
import { href } from "../../state/route";
import { useTexts } from "../../texts";
import { DELIVERIES, STATUSES, searchFilter, type FilterName, type Filters } from "./filters";
import type { Source } from "./source";

/** The filters that are shown on demand. */
const FURTHER = ["recipient", "address", "tag", "id", "since", "until"] as const;

const NEWEST_DAY = "9998-12-31";

export function FilterBar({
  source,
  filters,
  onSearch,
  onFilters,
}: {
  source: Source;
  filters: Filters;
  /** Called while the person types. */
  onSearch: (change: Filters) => void;
  onFilters: (change: Filters) => void;
}) {
  const t = useTexts().sent;
  const panel = useId();
  const isOfAll = source.as === "admin";
  const further = FURTHER.filter((name) => filters[name]);
  const [isOpen, setIsOpen] = useState(further.length > 0);
  const count = Object.values(filters).filter(Boolean).length;
  return (
    <div class="filters">
      <div class="list-tools">
        <Search
          label={t.search}
          hint={isOfAll ? t.searchAllHint : t.searchHint}
          clear={t.clear}
          maxLength={200}
          value={filters.q ?? ""}
          onSearch={(text) => onSearch(searchFilter(text))}
        />
        <SelectField
          label={t.filter}
          value={filters.delivery ? `delivery-${filters.delivery}` : (filters.status ?? "")}
          options={[
            ["", t.filterAll],
            ...STATUSES.map((status) => [status, t.status[status]] as const),
            ...DELIVERIES.map((status) => [`delivery-${status}`, t.delivery[status]] as const),
          ]}
          onValue={(value) => {
            const [, delivery = ""] = value.split("delivery-", 2);
            onFilters({ delivery, status: delivery ? "" : value });
          }}
        />
        <Button
          icon="filter"
          aria-expanded={isOpen}
          aria-controls={panel}
          onClick={() => setIsOpen(!isOpen)}
        >
          {further.length ? t.filtersOf(further.length) : t.filters}
        </Button>
      </div>
      <div id={panel} hidden={!isOpen}>
        {isOpen && (
          <Further
            key={JSON.stringify(filters)}
            {...{ filters, isOfAll }}
            onFilters={onFilters}
            clear={count > 0 ? href(source.place) : undefined}
          />
        )}
      </div>
      {!isOpen && count > 0 && (
        <p>
          <ButtonLink small kind="quiet" icon="close" href={href(source.place)}>
            {t.clearFilters}
          </ButtonLink>
        </p>
      )}
    </div>
  );
}

function Further({
  filters,
  isOfAll,
  onFilters,
  clear,
}: {
  filters: Filters;
  isOfAll: boolean;
  onFilters: (change: Filters) => void;
  /** The link to the list without filters, if there are any. */
  clear?: string;
}) {
  const t = useTexts().sent;
  const [values, setValues] = useState(filters);
  const field = (name: FilterName) => ({
    value: values[name] ?? "",
    onValue: (value: string) => setValues((old) => ({ ...old, [name]: value })),
    autocomplete: "off" as const,
    autocapitalize: "none" as const,
    spellcheck: false,
    maxLength: 320,
  });
  const day = { type: "date", min: "1971-01-01", max: NEWEST_DAY } as const;
  return (
    <form
      class="card filter-panel"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        onFilters(values);
      }}
    >
      <div class="filter-fields">
        <TextField label={t.recipient} hint={t.recipientHint} {...field("recipient")} />
        {isOfAll && <TextField label={t.sender} hint={t.senderHint} {...field("address")} />}
        <TextField label={t.tag} hint={t.tagHint} {...field("tag")} />
        <TextField label={t.anyId} hint={t.anyIdHint} {...field("id")} />
        <TextField label={t.since} {...field("since")} {...day} />
        <TextField label={t.until} {...field("until")} {...day} />
      </div>
      <div class="row">
        <Button small kind="primary" type="submit">
          {t.apply}
        </Button>
        {clear && (
          <ButtonLink small kind="quiet" icon="close" href={clear}>
            {t.clearFilters}
          </ButtonLink>
        )}
      </div>
    </form>
  );
}
