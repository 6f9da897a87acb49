/** The audit trail, in words; older rows are added below. */

import { useEffect, useState } from "preact/hooks";
import { callAsAdmin, type AuditPage, type AuditRow } from "../../api/admin";
import { useAction } from "../../components/action";
import { Button } from "../../components/Button";
import { Empty, Skeleton } from "../../components/Empty";
import { ProblemNotice } from "../../components/Notice";
import { Page } from "../../components/Page";
import { Table } from "../../components/Table";
import { Time } from "../../components/Time";
import type { AdminTexts } from "../../texts/admin.en";
import { useTexts } from "../../texts";
import { number } from "../../texts/formats";

const PAGE = 30;

export function Audit() {
  const a = useTexts().admin;
  const t = a.audit;
  const [rows, setRows] = useState<AuditRow[]>([]);
  const [next, setNext] = useState<string | null>("");
  const { busy, problem, run } = useAction();
  const older = (known: AuditRow[], cursor: string) =>
    run(async () => {
      const query = { limit: PAGE, ...(cursor && { cursor }) };
      const page = await callAsAdmin<AuditPage>("GET", "/admin/audit", { query });
      setRows([...known, ...page.results]);
      setNext(page.next_cursor);
    });
  useEffect(() => void older([], ""), []);
  return (
    <Page
      title={a.sections.audit}
      intro={t.intro}
      aside={
        <Button icon="refresh" disabled={busy} onClick={() => void older([], "")}>
          {a.common.refresh}
        </Button>
      }
    >
      {busy && !rows.length && <Skeleton lines={6} />}
      {next === null && !rows.length && (
        <Empty icon="list" title={t.emptyTitle}>
          <p>{t.emptyText}</p>
        </Empty>
      )}
      {rows.length > 0 && (
        <Table
          caption={t.list}
          rows={rows}
          id={(row) => row.id}
          columns={[
            { title: t.action, cell: (row) => <Action row={row} /> },
            { title: t.object, cell: (row) => <bdi class="clip">{object(row.object, a)}</bdi> },
            { title: t.actor, cell: (row) => <bdi class="clip">{actor(row.actor, a)}</bdi> },
            { title: t.at, cell: (row) => <Time at={row.at} /> },
            { title: t.source, cell: (row) => <bdi class="muted">{row.source ?? "–"}</bdi> },
          ]}
        />
      )}
      {problem && (
        <ProblemNotice problem={problem} retry={() => void older(rows, next ?? "")} />
      )}
      {rows.length > 0 && (
        <div class="pager">
          <p class="muted" role="status">
            {t.shown(number(rows.length))}
          </p>
          {next && (
            <Button small busy={busy} onClick={() => void older(rows, next)}>
              {t.older}
            </Button>
          )}
        </div>
      )}
    </Page>
  );
}

function Action({ row }: { row: AuditRow }) {
  const a = useTexts().admin;
  const words: Record<string, string> = a.audit.actions;
  const more = row.details && details(row, row.details, a);
  return (
    <span class="strong">
      {words[row.action] ?? row.action}
      {more && <bdi class="audit-details">{more}</bdi>}
    </span>
  );
}

function actor(name: string, { audit }: AdminTexts): string {
  const place = /^admin#(\d+)$/.exec(name)?.[1];
  if (place) return audit.admin(place);
  return { admin: audit.anyAdmin, anybody: audit.anybody }[name] ?? name;
}

function object(name: string, { audit, lists }: AdminTexts): string {
  const words: Record<string, string> = {
    name_block: lists.blockList,
    send_block: lists.sendBlockList,
    verified: lists.verifiedAddressList,
    unlimited: lists.noLimitSendAddressList,
    sendMailLimitConfig: audit.limits,
  };
  return words[name] ?? name;
}

/** What else is known, as words where the kind of row is one that is known here. */
function details(row: AuditRow, given: Record<string, unknown>, a: AdminTexts): string {
  switch (row.action) {
    case "balance.set":
      return [
        number(Number(given["balance"])),
        given["enabled"] ? a.balances.enabled : a.balances.disabled,
      ].join(", ");
    case "list.set":
      return a.lists.count(Number(given["entries"]), number(Number(given["entries"])));
    case "suppression.added":
      return String(given["reason"]);
    case "limits.set":
      return a.audit.limit(limit(given, "daily", a), limit(given, "monthly", a));
    default:
      return JSON.stringify(given);
  }
}

function limit(given: Record<string, unknown>, period: string, a: AdminTexts): string {
  if (!given[`${period}Enabled`]) return a.audit.off;
  const most = Number(given[`${period}Limit`]);
  return most < 0 ? a.limits.unlimited : number(most);
}
