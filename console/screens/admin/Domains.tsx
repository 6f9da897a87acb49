/** The sending domains: what became of their mail, and whether delivery events arrive. */

import type {
  DomainDay,
  DomainMarks,
  DomainPage,
  DomainPeriod,
  DomainRow,
} from "../../api/admin";
import { Chart, lastDays } from "../../components/Chart";
import { Empty } from "../../components/Empty";
import { Notice } from "../../components/Notice";
import { Card, Page } from "../../components/Page";
import { Table, type Column } from "../../components/Table";
import { useTexts } from "../../texts";
import { day, number, percent } from "../../texts/formats";
import { Listing, usePagedList } from "./AdminList";
import { DomainDns } from "./DomainDns";

const STATES: Record<DomainRow["state"], string> = {
  unused: "",
  too_early: "waiting",
  heard: "good",
  never_heard: "warning",
  silent: "warning",
};

export function Domains() {
  const a = useTexts().admin;
  const t = a.domains;
  const list = usePagedList<DomainRow>("/admin/domains");
  const marks = (list.data as DomainPage | undefined)?.marks;
  const empty = (
    <Empty icon="chart" title={t.emptyTitle}>
      <p>{t.emptyText}</p>
    </Empty>
  );
  return (
    <Page title={a.sections.domains} intro={t.intro}>
      <p class="hint">{t.noEvents}</p>
      <Listing list={list} empty={empty}>
        {(rows) => rows.map((row) => <Domain key={row.domain} row={row} marks={marks} />)}
      </Listing>
    </Page>
  );
}

function Domain({ row, marks }: { row: DomainRow; marks?: DomainMarks }) {
  const t = useTexts().admin.domains;
  const isSilent = row.state === "silent";
  return (
    <Card
      title={row.domain}
      aside={<span class={`badge ${STATES[row.state] ?? ""}`}>{t.states[row.state]}</span>}
    >
      {(isSilent || row.state === "never_heard") && (
        <Notice
          kind="warning"
          title={isSilent && row.last_heard ? t.silent(day(row.last_heard)) : t.neverHeard}
        >
          <p>{isSilent ? t.silentText : t.neverHeardText}</p>
        </Notice>
      )}
      {row.days.length > 0 && marks && (
        <>
          <Periods row={row} marks={marks} />
          <Chart
            title={t.chart(row.domain)}
            days={lastDays(row.days, 90)}
            good={{ name: t.fine, of: (day) => Math.max(0, day.accepted - problems(day)) }}
            bad={{ name: t.problems, of: problems }}
          />
        </>
      )}
      <DomainDns domain={row.domain} />
    </Card>
  );
}

/** The recipients whose mail did not arrive, or who reported it as spam; at most all. */
function problems(day: DomainDay): number {
  const all = day.bounced + day.failed + day.rejected + day.complained;
  return Math.min(all, Math.max(day.accepted, all - day.complained));
}

type Period = DomainPeriod & { name: string };

const RATES = { bounced: "bounce_rate", complained: "complaint_rate" } as const;

function Periods({ row, marks }: { row: DomainRow; marks: DomainMarks }) {
  const t = useTexts().admin.domains;
  const isReported = row.last_heard !== null;
  const periods: Period[] = [
    { ...row.last_7_days, name: t.last(7) },
    { ...row.last_30_days, name: t.last(30) },
  ];
  const count = (name: "accepted" | "delivered" | "delayed" | "failed" | "rejected") => ({
    title: t.numbers[name],
    kind: "number" as const,
    cell: (period: Period) => number(period[name]),
  });
  const isAbove = (name: keyof typeof RATES, period: Period) =>
    (period[RATES[name]] ?? 0) >= marks[RATES[name]];
  const rated = (name: keyof typeof RATES): Column<Period> => ({
    title: t.numbers[name],
    kind: "number",
    cell: (period) => {
      const rate = period[RATES[name]];
      if (rate === null || !isReported) return number(period[name]);
      return (
        <span>
          {number(period[name])}{" "}
          <span class={isAbove(name, period) ? "badge bad" : "badge good"}>{percent(rate)}</span>
        </span>
      );
    },
  });
  return (
    <>
      {(["bounced", "complained"] as const).map(
        (name) =>
          periods.some((period) => isAbove(name, period)) && (
            <Notice key={name} kind="warning" title={t.aboveMark[name]}>
              <p>{t.aboveMarkText}</p>
            </Notice>
          ),
      )}
      <Table
        caption={t.table(row.domain)}
        columns={[
          { title: t.period, cell: ({ name }) => <span class="strong">{name}</span> },
          count("accepted"),
          count("delivered"),
          count("delayed"),
          rated("bounced"),
          count("failed"),
          count("rejected"),
          rated("complained"),
        ]}
        rows={periods}
        id={({ name }) => name}
      />
      <p class="hint">{t.marks(percent(marks.bounce_rate), percent(marks.complaint_rate))}</p>
    </>
  );
}
