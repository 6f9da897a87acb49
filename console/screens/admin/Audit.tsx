/** The audit log as text; a button adds older rows below. */

import type { AuditRow, SuppressionRow } from "../../api/admin";
import { Button } from "../../components/Button";
import { Time } from "../../components/Time";
import type { AdminTexts } from "../../texts/admin.en";
import { texts, useTexts } from "../../texts";
import { number } from "../../texts/formats";
import { AdminList, useLongList } from "./AdminList";

export function Audit() {
  const a = useTexts().admin;
  const t = a.audit;
  const list = useLongList<AuditRow>("/admin/audit");
  return (
    <AdminList
      section="audit"
      list={list}
      icon="list"
      aside={
        <Button icon="refresh" disabled={list.busy} onClick={() => void list.reload()}>
          {a.common.refresh}
        </Button>
      }
      id={(row) => row.id}
      columns={[
        { title: t.action, cell: (row) => <Action row={row} /> },
        { title: t.object, cell: (row) => <bdi class="clip">{object(row.object, a)}</bdi> },
        { title: t.actor, cell: (row) => <bdi class="clip">{actor(row.actor, a)}</bdi> },
        { title: t.at, cell: (row) => <Time at={row.at} /> },
        { title: t.source, cell: (row) => <bdi class="muted">{row.source ?? "–"}</bdi> },
      ]}
    />
  );
}

function Action({ row }: { row: AuditRow }) {
  const a = useTexts().admin;
  const words: Record<string, string> = a.audit.actions;
  const more = row.details && details(row, row.details, a);
  return (
    <span class="strong">
      {words[row.action] ?? row.action}
      {more && <bdi class="hint audit-details">{more}</bdi>}
    </span>
  );
}

function actor(name: string, { audit }: AdminTexts): string {
  const place = /^admin#(\d+)$/.exec(name)?.[1];
  if (place) return audit.admin(place);
  return { admin: audit.anyAdmin, anybody: audit.anybody }[name] ?? name;
}

function object(name: string, { sections, lists }: AdminTexts): string {
  const words: Record<string, string> = {
    name_block: lists.blockList,
    send_block: lists.sendBlockList,
    verified: lists.verifiedAddressList,
    unlimited: lists.noLimitSendAddressList,
    sendMailLimitConfig: sections.limits,
  };
  return words[name] ?? name;
}

/** The details of a row as text; those of an unknown action as JSON. */
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
      return a.suppressions.reasons[given["reason"] as SuppressionRow["reason"]];
    case "suppressions.imported":
      return a.suppressions.rows(number(Number(given["rows"])));
    case "limits.set":
      return a.audit.limit(limit(given, "daily", a), limit(given, "monthly", a));
    default:
      return JSON.stringify(given);
  }
}

function limit(given: Record<string, unknown>, period: string, a: AdminTexts): string {
  if (!given[`${period}Enabled`]) return a.audit.off;
  const most = Number(given[`${period}Limit`]);
  return most < 0 ? texts().common.unlimited : number(most);
}
